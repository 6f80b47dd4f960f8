// Names addresses spread over the functions of a program, and prints how long it took. See README.md.
import LinuxProcess
import LinuxSystem
import Measurement
import Symbolication

let arguments = CommandLine.arguments
guard arguments.count == 3 else {
    try FileDescriptor.write("usage: symbolication-benchmark PROGRAM ADDRESSES-FILE\n", to: 2)
    throw SystemError(action: "run without a program and a list of addresses", code: 22)
}
let path = arguments[1]
let list = String(decoding: try Files.read(arguments[2], limit: 64 << 20), as: UTF8.self)
let addresses = list.split(separator: "\n").compactMap { UInt64($0.dropFirst(2), radix: 16) }.map {
    ImageAddress($0)
}
let file = try OpenFile(path)
let image = ProgramImage(path: path, buildID: try ElfImage(file).buildID, content: .file(file))
for (name, options) in [
    ("names only", Symbolicator.Options(lines: false)), ("names, lines", Symbolicator.Options()),
    ("names, lines, inlines", Symbolicator.Options(lines: true, inlines: true)),
] {
    let start = SystemClock.monotonicNanoseconds
    var symbolicator = try Symbolicator(image, options: options)
    let opened = SystemClock.monotonicNanoseconds
    let result = symbolicator.symbolize(addresses)
    let end = SystemClock.monotonicNanoseconds
    let inlined = result.values.reduce(0) { $0 + $1.inlined.count }
    let summary = symbolicator.summary
    let text =
        "\(name.padded(to: 24)) open \((Double(opened - start) / 1e6).fixed(0)) ms"
        + "  \(summary.addresses) addresses in \((Double(end - opened) / 1e6).fixed(0)) ms"
        + "  named \(summary.named) located \(summary.located) inlined \(inlined) symbols \(summary.symbols)\n"
    try FileDescriptor.write(text, to: 1)
}
