/// Which tensors a configuration calls for, and which of its fields say so.
///
/// Blocks are alike, so one stands for all of them: the number of blocks that a configuration names
/// costs nothing.
struct ModelOutline {
  /// A tensor that models of this kind may have.
  struct Tensor {
    /// Its name; inside of a block, the name below it.
    var name: String
    /// The number of elements along each dimension.
    var shape: [Int]
    /// Whether this model has it.
    var isCalledFor: Bool
    /// The fields that decide whether a model has it.
    var conditions: [String]
    /// The fields that decide its shape.
    var sizes: [String]
  }

  /// The name of the configuration's file.
  var configuration: String
  /// What the names of blocks begin with, up to the number, such as `transformer.blocks.`.
  var blockPrefix: String
  /// How many blocks there are.
  var blockCount: Int
  /// The field that says how many.
  var blockCountField: String
  /// The tensors outside of blocks.
  var outside: [Tensor]
  /// The tensors of a block.
  var inBlock: [Tensor]

  /// The number of the block that a tensor is in and its name below that; `nil` outside of blocks.
  func split(_ name: String) -> (block: Int, rest: String)? {
    guard name.hasPrefix(blockPrefix) else { return nil }
    let steps = name.dropFirst(blockPrefix.count).split(separator: ".", maxSplits: 1)
    guard steps.count == 2, let block = Int(steps[0]), String(block) == steps[0], block >= 0 else {
      return nil
    }
    return (block, String(steps[1]))
  }
}
