import Testing

@testable import ckptconv

@Suite("The table of commands and flags is consistent, and everything is written from it")
struct FlagTableTests {
  static let pages = (FlagTable.pages + FlagTable.pages.flatMap(\.subpages)).map(PageCase.init)

  struct PageCase: Sendable, CustomTestStringConvertible {
    let page: CommandPage
    var testDescription: String { page.name }
  }

  @Test("Names and letters are used once in a command", arguments: pages)
  func flagsAreUnique(_ test: PageCase) {
    let names = test.page.flags.map(\.long)
    let letters = test.page.flags.compactMap(\.short)
    #expect(Set(names).count == names.count)
    #expect(Set(letters).count == letters.count)
  }

  @Test("A letter means the same in every command")
  func lettersAgree() {
    var meanings: [Character: String] = [:]
    for flag in FlagTable.programFlags.map(\.flag) + FlagTable.pages.flatMap(\.ownFlags) {
      guard let letter = flag.short else { continue }
      #expect(meanings.updateValue(flag.long, forKey: letter) ?? flag.long == flag.long)
    }
  }

  @Test("Commands and topics have different names")
  func pagesAreUnique() {
    #expect(Set(HelpCommand.pageNames).count == HelpCommand.pageNames.count)
  }

  @Test("One-line texts begin in lower case and have no final stop", arguments: pages)
  func summariesAreFragments(_ test: PageCase) {
    let choices = test.page.flags.flatMap(\.choices).map(\.meaning)
    for text in [test.page.summary] + test.page.flags.map(\.summary) + choices {
      #expect(text.first?.isUppercase == false, "\(text)")
      #expect(text.last != ".", "\(text)")
    }
  }

  @Test("Paragraphs are sentences", arguments: pages)
  func manualsAreSentences(_ test: PageCase) {
    for text in [test.page.manual] + test.page.flags.map(\.manual) {
      for paragraph in Document.paragraphs(of: text) {
        #expect(paragraph.last == ".", "\(paragraph)")
        #expect(paragraph.filter { $0 == "`" }.count.isMultiple(of: 2), "\(paragraph)")
      }
    }
  }

  @Test("-h fits a terminal of 80 by 24, with a line for the prompt", arguments: pages)
  func summariesFit(_ test: PageCase) {
    expectToFit(HelpPage.command(test.page).text(.summary))
  }

  @Test("The program's own -h fits as well")
  func programSummaryFits() {
    expectToFit(HelpPage.program.text(.summary))
  }

  private func expectToFit(_ text: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    #expect(lines.count <= 23)
    for line in lines { #expect(line.count <= 80, "\(line)") }
  }

  @Test("Running text of the manual keeps to 79 columns", arguments: HelpCommand.pageNames)
  func manualsFit(name: String) throws {
    for line in try HelpPage(named: name).text(.manual).split(separator: "\n")
    where !line.contains("$ ") {
      #expect(line.count <= 79, "\(line)")
    }
  }

  @Test(
    "Every flag and command is in help, manual, man page and completions", arguments: pages)
  func nothingIsForgotten(_ test: PageCase) {
    let page = HelpPage.command(test.page)
    let man = GeneratedText.man.content
    // What a command has from its parent stands in the parent's summary.
    let inherited = Set(test.page.parentFlags.map(\.long))
    for flag in test.page.flags {
      #expect(inherited.contains(flag.long) || page.text(.summary).contains("--\(flag.long)"))
      #expect(page.text(.manual).contains("--\(flag.long)"))
      #expect(man.contains("\\-\\-" + flag.long.split(separator: "-").joined(separator: "\\-")))
      #expect(GeneratedText.bash.content.contains("--\(flag.long)"))
      #expect(GeneratedText.zsh.content.contains(")--\(flag.long)"))
      #expect(GeneratedText.fish.content.contains("-l \(flag.long)"))
    }
    for text in GeneratedText.allCases where text != .man {
      for word in test.page.name.split(separator: " ") { #expect(text.content.contains(word)) }
    }
  }
}
