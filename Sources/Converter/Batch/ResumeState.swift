package import CkptBase
internal import CkptCheckpoints
internal import CkptCopy

/// The state of an item before a run.
package enum ResumeState: Sendable {
  /// Nothing was done yet.
  case fresh
  /// The item is done, and nothing changed since.
  case finished(JournalRecord)
  /// The item was started, or its input changed. These outputs belong to the batch and are removed.
  case again(stale: [String])
  /// The item cannot be processed.
  case impossible(CheckpointError)
}

/// Compares items with the journal and the disk.
package struct ResumeCheck: Sendable {
  let root: String?
  let verb: String
  var outputVersion: Int?
  let rules: BatchRules

  /// Returns the state of `item`.
  func standing(of item: BatchItem, in history: JournalHistory) -> ResumeState {
    do throws(CheckpointError) {
      let work = try item.work.get()
      let latest = history.record(of: item.name, by: verb)
      guard rules.resumes, let recorded = latest, isOurs(recorded), recorded.state != .failed else {
        for path in try OutputFiles.existing(work.writes) {
          try requireFree([path], remedy: remedy(latest ?? writer(of: path, in: history)))
        }
        return .fresh
      }
      let files = try OutputFiles.existing(work.writes)
      if recorded.state == .planned {
        // Files that existed before the run were to be replaced, which needs --force again.
        let earlier = try Set(names: compareOutputs(recorded).intact.map(path))
        try requireFree(files.filter { earlier.contains($0) }, remedy: nil)
        return .again(
          stale: try files.filter { !earlier.contains($0) } + OutputFiles.existing(work.leftovers))
      }
      let (intact, changed) = try compareOutputs(recorded)
      if changed.isEmpty, recorded.outputVersion == outputVersion,
        try hasSameInputs(work, recorded)
      {
        return .finished(recorded)
      }
      let own = Set(names: intact.map(path))
      try requireFree(
        files.filter { !own.contains($0) },
        remedy: .text("it was changed after the batch wrote it", .replaceExisting))
      return .again(stale: files.filter { own.contains($0) })
    } catch {
      return .impossible(error)
    }
  }

  private func isOurs(_ record: JournalRecord) -> Bool {
    record.verb == verb && record.settings == rules.settings
  }

  /// Returns the remedy for an existing output with this record.
  private func remedy(_ record: JournalRecord?) -> Remedy? {
    guard let record, record.state != .failed else { return nil }
    if !isOurs(record) {
      let flags = record.settings.isEmpty ? "without flags" : "with \(record.settings)"
      return .text("a batch of \(record.verb) \(flags) wrote it", .replaceExisting)
    }
    return .action(.resume)
  }

  /// Returns the record of another verb's batch that wrote the file at `place`.
  private func writer(of place: String, in history: JournalHistory) -> JournalRecord? {
    guard !rules.replacesExisting else { return nil }
    return history.records.first { record in
      record.state == .done && record.outputs.contains { FilePath(path($0)) == FilePath(place) }
    }
  }

  private func path(_ output: FileIdentity) -> String {
    FilePath(root ?? ".").appending(output.path).text
  }

  /// Divides recorded outputs into unchanged and changed ones.
  private func compareOutputs(
    _ record: JournalRecord
  ) throws(CheckpointError) -> (intact: [FileIdentity], changed: [FileIdentity]) {
    var (intact, changed): ([FileIdentity], [FileIdentity]) = ([], [])
    for output in record.outputs {
      let exists = try FilePath(path(output)).status() != nil
      if exists, try FileIdentity(of: path(output)).isSameContent(as: output) {
        intact.append(output)
      } else {
        changed.append(output)
      }
    }
    return (intact, changed)
  }

  /// Whether the inputs are those of the record.
  ///
  /// Inputs that were to be deleted can be missing, all or some of them.
  private func hasSameInputs(
    _ work: any BatchWork, _ record: JournalRecord
  ) throws(CheckpointError) -> Bool {
    guard work.reads.count == record.inputs.count || record.deletesSources else { return false }
    var remaining = Dictionary(grouping: record.inputs) { ExactString(FilePath($0.path).name) }
    for path in work.reads {
      let name = ExactString(FilePath(path).name)
      let hashing = rules.hashesInputs && remaining[name]?.contains { $0.sha256 != nil } == true
      let found = try FileIdentity(of: path, hashing: hashing, until: rules.budget.cancellation)
      // The same tree can have another path. Then names and contents decide.
      let known = remaining[name] ?? []
      guard
        let index = known.firstIndex(where: { FilePath($0.path) == FilePath(path) })
          ?? known.firstIndex(where: { found.isSameContent(as: $0) }),
        found.isSameContent(as: known[index])
      else { return false }
      remaining[name]?.remove(at: index)
    }
    return true
  }

  /// Refuses existing outputs, unless they may be replaced.
  private func requireFree(_ paths: [String], remedy: Remedy?) throws(CheckpointError) {
    guard !rules.replacesExisting else { return }
    for path in paths {
      let status = try Syscalls.status(at: path, followingLinks: false)
      guard let status else { continue }
      var error = CheckpointError.occupied(path, status)
      if let remedy { error.remedy = remedy }
      throw error
    }
  }
}
