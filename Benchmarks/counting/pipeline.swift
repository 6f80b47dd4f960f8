// A pipeline of three stages: PIPELINE EXTRA does EXTRA per mille more work in load(), in its stage crunch.
import Glibc

func mark(_ stage: String) {
    guard let path = getenv("PIPELINE_STATUS_FILE").map({ String(cString: $0) }) else { return }
    guard let file = fopen(path + ".tmp", "w") else { exit(1) }
    fputs("{\"stage\": \"\(stage)\"}\n", file)
    fclose(file)
    rename(path + ".tmp", path)
}

@inline(never) func fetch(_ count: Int) -> Int {
    var words: [String: Int] = [:]
    for index in 0..<count { words["word \(index % 500)", default: 0] += index }
    return words.values.reduce(0, &+)
}

@inline(never) func load(_ count: Int) -> UInt32 {
    var sum: UInt32 = 7
    for index in 0..<count { sum = (sum << 5) ^ (sum >> 3) ^ UInt32(truncatingIfNeeded: index) }
    return sum
}

@inline(never) func arrange(_ count: Int) -> Int {
    (0..<count).map { $0 &* 2_654_435_761 % 1_000_003 }.sorted()[count / 2]
}

let extra = CommandLine.arguments.count > 1 ? Int(CommandLine.arguments[1]) ?? 0 : 0
let scale = CommandLine.arguments.count > 2 ? Int(CommandLine.arguments[2]) ?? 1 : 1
mark("fetch")
var result = fetch(20_000 * scale)
mark("crunch")
result &+= Int(load((4000 * 1000 + 4000 * extra) * scale)) &+ arrange(20_000 * scale)
mark("store")
for index in 0..<200 { print(result &+ index) }
mark("done")
