import Foundation

/// A terminal without a screen: programs write to its device, the test reads what they wrote.
struct PseudoTerminal {
  /// The side that a program is given.
  let device: FileHandle
  private let controller: FileHandle

  // ioctl_tty(2); Swift does not import macros that take arguments.
  private static let unlock: UInt = 0x4004_5431
  private static let number: UInt = 0x8004_5430

  /// Opens a terminal of the given width.
  init(columns: UInt16) throws {
    var isLocked: CInt = 0
    var number: CInt = 0
    var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    controller = try FileHandle(forUpdating: URL(fileURLWithPath: "/dev/ptmx"))
    let descriptor = controller.fileDescriptor
    guard ioctl(descriptor, Self.unlock, &isLocked) == 0,
      ioctl(descriptor, Self.number, &number) == 0,
      ioctl(descriptor, UInt(TIOCSWINSZ), &size) == 0
    else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    device = try FileHandle(forUpdating: URL(fileURLWithPath: "/dev/pts/\(number)"))
  }

  /// Returns the written text once every program has ended; at most the size of the terminal's
  /// buffer.
  func text() throws -> String {
    // The kernel hands the text over in pieces. It answers EIO once all of it was read and nobody has
    // the device open.
    try device.close()
    var text: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 12)
    while case let count = read(controller.fileDescriptor, &part, part.count), count > 0 {
      text += part[..<count]
    }
    return String(decoding: text, as: UTF8.self)
  }
}
