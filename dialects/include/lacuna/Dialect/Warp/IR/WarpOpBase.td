// What the ops of all kinds share.
#ifndef LACUNA_DIALECT_WARP_WARPOPBASE
#define LACUNA_DIALECT_WARP_WARPOPBASE

include "lacuna/Dialect/Warp/IR/WarpInterfaces.td"
include "lacuna/Dialect/Warp/IR/WarpTypes.td"
include "lacuna/Dialect/Tile/IR/TileOps.td"

class Warp_Op<string mnemonic, list<Trait> traits = []> : Op<Warp_Dialect, mnemonic, traits>;

// Synchronisation and asynchronous work must be neither merged nor moved: they read and write this resource.
def Warp_Machine : Resource<"::lacuna::warp::MachineResource">;
def Warp_Sync : MemoryEffects<[MemRead<Warp_Machine>, MemWrite<Warp_Machine>]>;

def Warp_Tile : 2DTensorOf<[F32, F16, BF16, I32, I1]>;

#endif // LACUNA_DIALECT_WARP_WARPOPBASE
