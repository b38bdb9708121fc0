TerminalSyscalls.exit(CommandLineTool.run(CommandLine.arguments.dropFirst()))
