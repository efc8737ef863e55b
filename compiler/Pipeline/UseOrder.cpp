#include "UseOrder.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/Instructions.h"

namespace lacuna {

void sortUses(llvm::Module &module) {
  llvm::DenseMap<const llvm::User *, unsigned> position;
  llvm::SetVector<llvm::Value *> values;
  auto visit = [&](llvm::User &user) {
    position.try_emplace(&user, position.size() + 1);
    for (llvm::Value *operand : user.operands())
      values.insert(operand);
  };
  for (llvm::GlobalVariable &global : module.globals())
    visit(global);
  for (llvm::Function &function : module)
    for (llvm::BasicBlock &block : function)
      for (llvm::Instruction &instruction : block)
        visit(instruction);
  // Constants are users too. The list grows while it is walked, so that the operands of operands are reached.
  for (size_t i = 0; i < values.size(); ++i)
    if (auto *constant = llvm::dyn_cast<llvm::Constant>(values[i]); constant && !llvm::isa<llvm::GlobalValue>(constant))
      visit(*constant);

  // Users outside of this module (constants are shared by all modules of a context) come last, as they were.
  auto before = [&](const llvm::Use &left, const llvm::Use &right) {
    auto key = [&](const llvm::Use &use) {
      auto found = position.find(use.getUser());
      return found == position.end() ? std::pair(~0u, 0u) : std::pair(found->second, use.getOperandNo());
    };
    return key(left) < key(right);
  };
  for (llvm::Value *value : values)
    if (value->hasNUsesOrMore(2))
      value->sortUseList(before);
}

} // namespace lacuna
