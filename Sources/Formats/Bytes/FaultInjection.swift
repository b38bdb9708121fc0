#if DEBUG

  /// Makes system calls fail on demand, to see what a program leaves behind when they do.
  ///
  /// Only debug builds have it.
  package enum FaultInjection {
    private struct Fault {
      let directory: String
      let code: Int32
      var callsBefore: Int
      var hasFailed = false
    }

    private static let faults = Locked<[Int: Fault]>([:])

    /// Runs `body` while the call with number `index` on a path that begins with `directory`, and
    /// only that, fails with the `errno` value `code`.
    ///
    /// - Returns: whether there were that many calls.
    package static func failing(
      _ index: Int, under directory: String, code: Int32, _ body: () -> Void
    ) -> Bool {
      let fault = Fault(directory: directory, code: code, callsBefore: index)
      let key = faults.withLock { faults in
        let key = (faults.keys.max() ?? 0) + 1
        faults[key] = fault
        return key
      }
      body()
      return faults.withLock { $0.removeValue(forKey: key)?.hasFailed ?? false }
    }

    /// The error that a call on `path` is to have, if it is its turn.
    static func code(for path: String) -> Int32? {
      faults.withLock { faults in
        var code: Int32?
        for (key, fault) in faults where path.hasPrefix(fault.directory) && !fault.hasFailed {
          if fault.callsBefore > 0 {
            faults[key]?.callsBefore -= 1
          } else {
            faults[key]?.hasFailed = true
            code = fault.code
          }
        }
        return code
      }
    }
  }
#endif
