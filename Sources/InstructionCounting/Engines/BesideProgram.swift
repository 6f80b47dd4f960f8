internal import LinuxProcess
internal import LinuxSystem
internal import Measurement

/// Libraries of this package that other programs open.
enum BesideProgram {
    /// Where a library is: beside this program, or where it is installed; nil where it is not there.
    static func path(of file: String) -> String? {
        let directory = Files.directory(of: CurrentProcess.executable)
        return ["\(directory)/\(file)", "\(directory)/../lib/freeze-profile/\(file)"]
            .first { Files.isRegularFile($0) }
    }
}

/// The machine's CPU.
enum CPUModel {
    /// As the kernel names it; the architecture where it names none.
    static let name: String = {
        let text: String
        do {
            text = String(decoding: try Files.read("/proc/cpuinfo", limit: 1 << 24), as: UTF8.self)
        } catch {
            return CurrentProcess.kernel.machine
        }
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        guard let value = line?.split(separator: ":", maxSplits: 1).last else {
            return CurrentProcess.kernel.machine
        }
        let words = value.split(whereSeparator: \.isWhitespace)
        return PlainText.sanitized(words.joined(separator: " "), maximumCharacters: 80)
    }()
}
