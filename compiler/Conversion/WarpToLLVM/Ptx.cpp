// Sources: PTX ISA 8.3 (wgmma, mbarrier, cp.async.bulk.tensor, stmatrix, setmaxnreg; cp.async, ldmatrix, mma).
#include "Ptx.h"

using namespace mlir;

namespace lacuna::ptx {

void Emitter::call(Location loc, const Twine &text, StringRef constraints, ValueRange operands) {
  builder.create<LLVM::InlineAsmOp>(loc, TypeRange{}, operands, text.str(), constraints, /*has_side_effects=*/true,
                                    /*is_align_stack=*/false, LLVM::AsmDialectAttr(), ArrayAttr());
}

Value Emitter::call(Location loc, Type result, const Twine &text, StringRef constraints, ValueRange operands) {
  return builder
      .create<LLVM::InlineAsmOp>(loc, TypeRange{result}, operands, text.str(), constraints, /*has_side_effects=*/true,
                                 /*is_align_stack=*/false, LLVM::AsmDialectAttr(), ArrayAttr())
      .getResult(0);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Barriers and copies
//===--------------------------------------------------------------------------------------------------------------===//

void Emitter::initBarrier(Location loc, Value address, int64_t count) {
  call(loc, "mbarrier.init.shared::cta.b64 [$0], " + Twine(count) + ";", "r", address);
}

void Emitter::fenceBarrierInit(Location loc) {
  call(loc, "fence.mbarrier_init.release.cluster;", "", {});
}

void Emitter::blockBarrier(Location loc) {
  call(loc, "bar.sync 0;", "~{memory}", {});
}

void Emitter::namedBarrierSync(Location loc, int64_t id, int64_t threads) {
  call(loc, "bar.sync " + Twine(id) + ", " + Twine(threads) + ";", "~{memory}", {});
}

void Emitter::namedBarrierArrive(Location loc, int64_t id, int64_t threads) {
  call(loc, "bar.arrive " + Twine(id) + ", " + Twine(threads) + ";", "~{memory}", {});
}

void Emitter::namedBarrierSync(Location loc, Value id, int64_t threads) {
  call(loc, "bar.sync $0, " + Twine(threads) + ";", "r,~{memory}", id);
}

void Emitter::namedBarrierArrive(Location loc, Value id, int64_t threads) {
  call(loc, "bar.arrive $0, " + Twine(threads) + ";", "r,~{memory}", id);
}

void Emitter::waitBarrier(Location loc, Value address, Value parity) {
  call(loc,
       Twine("{ .reg .pred P; WAIT${:uid}: mbarrier.") + (suspends ? "try" : "test") +
           "_wait.parity.shared::cta.b64 P, [$0], $1; @!P bra" + (suspends ? ".uni" : "") + " WAIT${:uid}; }",
       "r,r,~{memory}", {address, parity});
}

void Emitter::arrive(Location loc, Value address, Value predicate) {
  call(loc, "@$1 mbarrier.arrive.shared::cta.b64 _, [$0];", "r,b,~{memory}", {address, predicate});
}

void Emitter::expectBytes(Location loc, Value address, int64_t bytes) {
  call(loc, "mbarrier.arrive.expect_tx.shared::cta.b64 _, [$0], " + Twine(bytes) + ";", "r,~{memory}", address);
}

/// Adds `coordinates` to the operands and their constraints; the text that names them.
static std::string coordinateList(ArrayRef<Value> coordinates, SmallVectorImpl<Value> &operands,
                                  std::string &constraints) {
  std::string list;
  for (Value coordinate : coordinates) {
    list += (list.empty() ? "$" : ", $") + std::to_string(operands.size());
    operands.push_back(coordinate);
    constraints += ",r";
  }
  return list;
}

void Emitter::tmaLoad(Location loc, Value destination, Value tensorMap, ArrayRef<Value> coordinates, Value barrier) {
  SmallVector<Value> operands = {destination, tensorMap, barrier};
  std::string constraints = "r,l,r", list = coordinateList(coordinates, operands, constraints);
  call(loc,
       "cp.async.bulk.tensor." + Twine(coordinates.size()) +
           "d.shared::cluster.global.mbarrier::complete_tx::bytes [$0], [$1, {" + list + "}], [$2];",
       constraints + ",~{memory}", operands);
}

void Emitter::tmaStore(Location loc, Value tensorMap, ArrayRef<Value> coordinates, Value source) {
  SmallVector<Value> operands = {tensorMap, source};
  std::string constraints = "l,r", list = coordinateList(coordinates, operands, constraints);
  call(loc,
       "cp.async.bulk.tensor." + Twine(coordinates.size()) + "d.global.shared::cta.bulk_group [$0, {" + list +
           "}], [$1];",
       constraints + ",~{memory}", operands);
}

void Emitter::commitStores(Location loc) {
  call(loc, "cp.async.bulk.commit_group;", "~{memory}", {});
}

void Emitter::waitStores(Location loc) {
  call(loc, "cp.async.bulk.wait_group.read 0;", "~{memory}", {});
}

void Emitter::storeMatrix(Location loc, Value address, int64_t flip, int64_t offset, ArrayRef<Value> words) {
  SmallVector<Value> operands = {address};
  llvm::append_range(operands, words);
  call(loc,
       "{ .reg .b32 A; xor.b32 A, $0, " + Twine(flip) + "; stmatrix.sync.aligned.m8n8.x4.shared.b16 [A+" +
           Twine(offset) + "], {$1, $2, $3, $4}; }",
       "r,r,r,r,r,~{memory}", operands);
}

void Emitter::setMaxRegisters(Location loc, int64_t registers, bool increase) {
  call(loc, Twine("setmaxnreg.") + (increase ? "inc" : "dec") + ".sync.aligned.u32 " + Twine(registers) + ";", "", {});
}

void Emitter::fenceAsync(Location loc) {
  call(loc, "fence.proxy.async.shared::cta;", "~{memory}", {});
}

//===--------------------------------------------------------------------------------------------------------------===//
// wgmma
//===--------------------------------------------------------------------------------------------------------------===//

void Emitter::wgmmaFence(Location loc) {
  call(loc, "wgmma.fence.sync.aligned;", "", {});
}

void Emitter::wgmmaCommit(Location loc) {
  call(loc, "wgmma.commit_group.sync.aligned;", "", {});
}

static std::string placeholders(int64_t first, int64_t count) {
  std::string text = "{";
  for (int64_t i = 0; i < count; ++i)
    text += (i ? ",$" : "$") + std::to_string(first + i);
  return text + "}";
}

static SmallVector<Value> unpack(OpBuilder &builder, Location loc, Value aggregate, int64_t count) {
  SmallVector<Value> values;
  for (int64_t i = 0; i < count; ++i)
    values.push_back(builder.create<LLVM::ExtractValueOp>(loc, aggregate, i));
  return values;
}

SmallVector<Value> Emitter::wgmma(Location loc, const WgmmaProduct &product) {
  int64_t registers = product.columns / 2;
  SmallVector<Value> operands(product.acc);
  std::string constraints, text;
  // The first step writes them before the later steps read their operands.
  for (int64_t i = 0; i < registers; ++i)
    constraints += i ? ",=&f" : "=&f";
  // Each accumulator register is read and written in place.
  for (size_t i = 0; i < product.acc.size(); ++i)
    constraints += "," + std::to_string(i);
  auto use = [&](ValueRange values, StringRef constraint) {
    int64_t first = registers + operands.size();
    for (Value value : values) {
      constraints += ("," + constraint).str();
      operands.push_back(value);
    }
    return first;
  };
  std::string head = (Twine("wgmma.mma_async.sync.aligned.m64n") + Twine(product.columns) + "k16.f32." +
                      (product.bf16 ? "bf16.bf16 " : "f16.f16 ") + placeholders(0, registers) + ", ")
                         .str();
  for (auto [index, step] : llvm::enumerate(product.steps)) {
    std::string a = step.aDescriptor ? "$" + std::to_string(use(step.aDescriptor, "l"))
                                     : placeholders(use(step.aFragment, "r"), step.aFragment.size());
    std::string b = "$" + std::to_string(use(step.bDescriptor, "l")), open, close;
    if (step.aAdvance != 0) {
      open = "{ .reg .b64 A; add.s64 A, " + a + ", " + std::to_string(step.aAdvance) + "; ";
      close = " }";
      a = "A";
    }
    bool adds = index > 0 || !product.acc.empty();
    text += (index ? "\n\t" : "") + open + head + a + ", " + b + (adds ? ", 1" : ", 0") + ", 1, 1" +
            (step.aDescriptor ? (product.transA ? ", 1" : ", 0") : "") + (product.transB ? ", 1;" : ", 0;") + close;
  }
  SmallVector<Type> types(registers, builder.getF32Type());
  Type result = LLVM::LLVMStructType::getLiteral(builder.getContext(), types);
  return unpack(builder, loc, call(loc, result, text, constraints, operands), registers);
}

SmallVector<Value> Emitter::wgmmaWait(Location loc, int64_t pending, ArrayRef<Value> values) {
  std::string constraints, ties;
  SmallVector<Type> types;
  for (auto [index, value] : llvm::enumerate(values)) {
    constraints += (index ? "," : "") + std::string(value.getType().isF32() ? "=f" : "=r");
    ties += "," + std::to_string(index);
    types.push_back(value.getType());
  }
  Type result = LLVM::LLVMStructType::getLiteral(builder.getContext(), types);
  Value waited = call(loc, result, "wgmma.wait_group.sync.aligned " + Twine(pending) + ";", constraints + ties, values);
  return unpack(builder, loc, waited, values.size());
}

void Emitter::holdBehind(Location loc, ArrayRef<Value> values) {
  call(loc, "{ .reg .pred p; .reg .f32 t; add.f32 t, $0, $1; setp.eq.f32 p, t, 0fFEB33333; @p nanosleep.u32 1; }",
       "f,f", values);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Copies by threads and products by warps
//===--------------------------------------------------------------------------------------------------------------===//

void Emitter::copyAsync(Location loc, Value address, int64_t offset, Value pointer, Value bytes, Value predicate) {
  SmallVector<Value> operands = {address, pointer, bytes};
  if (predicate)
    operands.push_back(predicate);
  call(loc, Twine(predicate ? "@$3 " : "") + "cp.async.cg.shared.global [$0+" + Twine(offset) + "], [$1], 16, $2;",
       predicate ? "r,l,r,b,~{memory}" : "r,l,r,~{memory}", operands);
}

void Emitter::arriveWhenCopied(Location loc, Value address) {
  call(loc, "cp.async.mbarrier.arrive.noinc.shared.b64 [$0];", "r,~{memory}", address);
}

void Emitter::waitCopies(Location loc) {
  call(loc, "cp.async.wait_all;", "~{memory}", {});
}

void Emitter::syncWarp(Location loc) {
  call(loc, "bar.warp.sync 0xffffffff;", "~{memory}", {});
}

SmallVector<Value> Emitter::loadMatrix(Location loc, Value address, int64_t offset, bool transpose) {
  SmallVector<Type> types(4, builder.getI32Type());
  Type result = LLVM::LLVMStructType::getLiteral(builder.getContext(), types);
  Value loaded = call(loc, result,
                      Twine("ldmatrix.sync.aligned.m8n8.x4") + (transpose ? ".trans" : "") +
                          ".shared.b16 {$0, $1, $2, $3}, [$4+" + Twine(offset) + "];",
                      "=r,=r,=r,=r,r,~{memory}", address);
  return unpack(builder, loc, loaded, 4);
}

SmallVector<Value> Emitter::mma(Location loc, bool bf16, ArrayRef<Value> a, ArrayRef<Value> b, ArrayRef<Value> acc) {
  SmallVector<Value> operands(a);
  llvm::append_range(operands, b);
  llvm::append_range(operands, acc);
  SmallVector<Type> types(4, builder.getF32Type());
  Type result = LLVM::LLVMStructType::getLiteral(builder.getContext(), types);
  StringRef type = bf16 ? "bf16" : "f16";
  Value sums = call(loc, result,
                    "mma.sync.aligned.m16n8k16.row.col.f32." + type + "." + type +
                        ".f32 {$0,$1,$2,$3}, {$4,$5,$6,$7}, {$8,$9}, {$0,$1,$2,$3};",
                    "=f,=f,=f,=f,r,r,r,r,r,r,0,1,2,3", operands);
  return unpack(builder, loc, sums, 4);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Within a warp, and shared memory by word
//===--------------------------------------------------------------------------------------------------------------===//

Value Emitter::broadcastLane0(Location loc, Value value) {
  return call(loc, value.getType(), "shfl.sync.idx.b32 $0, $1, 0, 31, 0xffffffff;", "=r,r", value);
}

Value Emitter::shuffleXor(Location loc, Value value, int64_t mask) {
  return call(loc, value.getType(), "shfl.sync.bfly.b32 $0, $1, " + Twine(mask) + ", 31, 0xffffffff;", "=f,f", value);
}

Value Emitter::loadShared(Location loc, Value address) {
  return call(loc, builder.getF32Type(), "ld.shared.f32 $0, [$1];", "=f,r,~{memory}", address);
}

Value Emitter::shuffleXorInt(Location loc, Value value, int64_t mask) {
  return call(loc, value.getType(), "shfl.sync.bfly.b32 $0, $1, " + Twine(mask) + ", 31, 0xffffffff;", "=r,r", value);
}

Value Emitter::loadSharedInt(Location loc, Value address, Value predicate) {
  return call(loc, builder.getI32Type(), "mov.b32 $0, 0; @$2 ld.shared.u32 $0, [$1];", "=&r,r,b,~{memory}",
              {address, predicate});
}

void Emitter::storeSharedInt(Location loc, Value address, Value value) {
  call(loc, "st.shared.u32 [$0], $1;", "r,r,~{memory}", {address, value});
}

Value Emitter::atomicAdd(Location loc, Value pointer, Value value) {
  return call(loc, builder.getI32Type(), "atom.global.add.u32 $0, [$1], $2;", "=r,l,r,~{memory}", {pointer, value});
}

void Emitter::storeShared(Location loc, Value address, Value value, Value predicate) {
  call(loc, "@$2 st.shared.f32 [$0], $1;", "r,f,b,~{memory}", {address, value, predicate});
}

} // namespace lacuna::ptx
