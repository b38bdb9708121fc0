internal import Bytes

/// What copying and comparing may use of the machine.
public struct CopyBudget: Hashable, Sendable {
  /// How many threads there are; `nil` for one per processor.
  public var threads: Int?
  /// The bytes that the threads use together; `nil` for ``CopyEngine/defaultWorkingMemory``.
  public var workingMemory: Int?

  /// A budget from its parts, by default what a program that does nothing else may use.
  public init(threads: Int? = nil, workingMemory: Int? = nil) {
    self.threads = threads
    self.workingMemory = workingMemory
  }

  /// How many threads an engine has with it.
  package var threadCount: Int {
    min(max(threads ?? Syscalls.availableProcessors(), 1), WorkerMemory.maximumThreads)
  }

  /// What each of its threads has if they work on their own.
  package var ofOneThread: CopyBudget {
    let memory = workingMemory ?? CopyEngine.defaultWorkingMemory
    return CopyBudget(threads: 1, workingMemory: memory / threadCount)
  }
}
