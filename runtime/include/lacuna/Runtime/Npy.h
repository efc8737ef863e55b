//===- Npy.h - NumPy's .npy files -------------------------------*- C++ -*-===//
//
// Arrays as numpy.save writes them, format versions 1 to 3, C order, little endian, of the five types that tensors and
// block lists need. bf16, which NumPy does not know, is kept as its 16-bit pattern in uint16.
//
// **Source:** NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays".
//
//===----------------------------------------------------------------------===//

#ifndef LACUNA_RUNTIME_NPY_H
#define LACUNA_RUNTIME_NPY_H

#include "lacuna/Runtime/BlockLists.h"
#include "lacuna/Runtime/HostTensor.h"

#include <cstddef>
#include <string>
#include <vector>

namespace lacuna::runtime {

enum class NpyType { F16, F32, U16, I32, I64 };

/// The size of one element in bytes.
size_t npyTypeSize(NpyType type);
/// NumPy's name: "float16", "float32", "uint16", "int32", "int64".
std::string_view npyTypeName(NpyType type);

/// An array read from a file. Thread safety: a plain value.
struct NpyArray {
  NpyType type = NpyType::F32;
  std::vector<int64_t> shape;
  std::vector<std::byte> bytes;
};

/// Reads a file. Errors: NotFound where it cannot be opened; ParseError for anything that is not such a file, or whose
/// data is shorter or longer than its header says, all found before memory is taken; Unsupported for other types,
/// Fortran order and big-endian data, with what to do; ResourceExhausted without memory.
Expected<NpyArray> readNpy(const std::string &path);

/// Writes `data`, replacing a file that exists. Errors: Unavailable, with the system's reason.
Expected<void> writeNpy(const std::string &path, NpyType type, const std::vector<int64_t> &shape, const void *data);

/// Reads a tensor as `dtype`: uint16 for bf16, float16 for f16, and float32 for both, which is rounded. Errors: as
/// readNpy; InvalidArgument for another type.
Expected<HostTensor> readNpyTensor(const std::string &path, DType dtype);
/// Writes a tensor in the type that readNpyTensor reads without rounding.
Expected<void> writeNpyTensor(const std::string &path, const HostTensor &tensor);

/// Reads indptr.npy, split.npy and indices.npy of `directory`, int32 or int64 of one dimension. Errors: as readNpy and
/// blockListsFromCsr.
Expected<BlockLists> readBlockLists(const std::string &directory, const AttentionShape &shape, int64_t queryBlock,
                                    int64_t keyBlock);
/// Writes the three files that readBlockLists reads.
Expected<void> writeBlockLists(const std::string &directory, const BlockLists &lists);

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_NPY_H
