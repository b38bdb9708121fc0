package import CkptBase
import CkptModels
import CkptYAML

/// A configuration that may hold anything, and what must hold of it all the same.
package enum HostileConfiguration {
  /// Translates a configuration of OLMo, or of Hugging Face if it begins like JSON, to the other,
  /// which must be readable; says what it was refused with, or `nil`.
  ///
  /// - Throws: ``HostileFile/Violation``.
  @discardableResult
  package static func check(_ bytes: [UInt8]) throws(HostileFile.Violation) -> CheckpointError.Code?
  {
    let text: [UInt8]
    let isHuggingFace = bytes.first == UInt8(ascii: "{")
    do {
      text =
        if isHuggingFace {
          try OLMoTranslation(HuggingFaceConfig(reading: bytes)).config.text()
        } else {
          try HuggingFaceTranslation(OLMoConfig(reading: bytes)).config.text()
        }
    } catch { return error.code }
    do {
      if isHuggingFace {
        _ = try OLMoConfig(reading: text)
      } else {
        _ = try HuggingFaceConfig(reading: text)
      }
    } catch {
      guard error.code == .limitExceeded else {
        throw HostileFile.Violation("its own translation is refused: \(error)")
      }
    }
    return nil
  }

  /// Reads a YAML document and writes it anew, which must mean the same; says what it was refused
  /// with, or `nil`.
  ///
  /// - Throws: ``HostileFile/Violation``.
  @discardableResult
  package static func checkYAML(
    _ bytes: [UInt8]
  ) throws(HostileFile.Violation) -> CheckpointError.Code? {
    let value: YAMLValue
    do { value = try YAMLValue(reading: bytes) } catch { return error.code }
    do {
      let text = try value.document()
      let again = try YAMLValue(reading: text)
      guard again == value else {
        throw HostileFile.Violation("\(value) is written \(text) and is \(again)")
      }
    } catch let error as CheckpointError {
      // Text without aliases is longer than text with them.
      guard error.code == .limitExceeded else {
        throw HostileFile.Violation("\(value) is written and refused: \(error)")
      }
    } catch let error as HostileFile.Violation {
      throw error
    } catch {
      throw HostileFile.Violation("\(error)")
    }
    return nil
  }
}
