//===- MatrixProduct.h - The small products of the reference ----*- C++ -*-===//

#ifndef LACUNA_RUNTIME_OPS_MATRIXPRODUCT_H
#define LACUNA_RUNTIME_OPS_MATRIXPRODUCT_H

#include <cstdint>

namespace lacuna::runtime {

/// `columns` of the products below must be a multiple of this.
constexpr int64_t kProductColumns = 16;

/// c[r][j] += sum over d of a[r][d] * b[d][j], each sum in ascending d with the type's own precision. All row-major,
/// with the given row strides. Compiled for several instruction sets, chosen when the program starts.
void addProduct(int64_t rows, int64_t columns, int64_t depth, const double *a, int64_t strideA, const double *b,
                int64_t strideB, double *c, int64_t strideC);
void addProduct(int64_t rows, int64_t columns, int64_t depth, const float *a, int64_t strideA, const float *b,
                int64_t strideB, float *c, int64_t strideC);

} // namespace lacuna::runtime

#endif // LACUNA_RUNTIME_OPS_MATRIXPRODUCT_H
