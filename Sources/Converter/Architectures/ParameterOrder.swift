/// The order in which OLMo's optimizers have the parameters (`get_param_groups` in `olmo/optim.py`).
///
/// Names are sorted as strings inside of each group, so block 10 stands before block 2. With integer
/// keys the numbers run on from group to group in this order.
public enum ParameterOrder: Sendable {
  /// The names of one group in its order.
  public static func sorted(_ names: some Sequence<String>) -> [String] {
    // Python compares code points, and these compare like their UTF-8.
    names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
