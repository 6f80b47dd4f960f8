// Times the way from folded text to an SVG file, step by step.
//
//     flamegraph-benchmark stacks.folded [picture.svg]
import FlameGraph
import LinuxProcess
import LinuxSystem
import Measurement
import StackProfile

/// Prints how long each step took.
struct StopWatch {
    private var mark = SystemClock.monotonicNanoseconds
    private(set) var total = Duration.zero

    mutating func lap(_ what: String) {
        let time = Duration(nanosecondCount: SystemClock.monotonicNanoseconds - mark)
        total += time
        print(what.padded(to: 32) + "\(time.inSeconds.fixed(3)) s")
        mark = SystemClock.monotonicNanoseconds
    }
}

let arguments = CommandLine.arguments
guard (2...3).contains(arguments.count) else {
    throw SystemError(action: "start without a file of folded stacks", code: 22)
}
var watch = StopWatch()
let file = try Files.read(arguments[1], limit: 1 << 32)
let outcome = try file.withUnsafeBytes { try FoldedStacks.read($0) }
watch.lap("read \(outcome.report.lines) lines, \(ByteCount(bytes: Int64(file.count)))")
let layout = FlameGraphLayout(outcome.profile)
watch.lap("lay out \(outcome.profile.stacks.count) nodes")
let picture = FlameGraphSVG.render(layout)
watch.lap("draw \(layout.rectangles.count) rectangles")
if arguments.count == 3 { try Files.replace(arguments[2], with: picture) }
print("in all".padded(to: 32) + "\(watch.total.inSeconds.fixed(3)) s")
