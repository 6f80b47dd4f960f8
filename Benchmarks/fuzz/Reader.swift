import FrozenProfile
import LinuxProcess
import ProfileFormats
import StackProfile
import Stages
import Symbolication
import YAMLDocument

/// What reads files from outside. What was read is used as a command would use it, and what is refused is told.
enum Reader: String, CaseIterable {
    case folded, pprof, archive, foreign, elf, names, debugInformation, perfMap, profile, record, truth, yaml,
        status

    /// Whether the bytes were read rather than refused.
    func accepts(_ bytes: [UInt8]) -> Bool {
        switch self {
        case .folded: isRead { FoldedStacks.write(try FoldedStacks.read(bytes).profile) }
        case .pprof: isRead { FoldedStacks.write(try Pprof.read(bytes)) }
        case .archive, .foreign:
            isRead { try bytes.withUnsafeBytes { FoldedStacks.write(try StackInput($0).profile) } }
        case .elf: isRead { try bytes.withUnsafeBytes { try ElfImage($0).buildID } }
        case .names: symbolizes(bytes, .init(lines: false))
        case .debugInformation: symbolizes(bytes, .init(lines: true, inlines: true))
        case .perfMap: names(PerfMap(bytes))
        case .profile: isRead { try FrozenProfile.decode(bytes, name: "p").encode() }
        case .record: isRead { try RunRecord.decode(bytes, name: "r").encode() }
        case .truth: isRead { try StageTruth.decode(bytes, name: "t") }
        case .yaml: isRead { try YAMLDocument.parse(bytes) }
        case .status: isRead { try StatusSnapshot.parse(bytes) }
        }
    }

    private func isRead<Value>(_ read: () throws -> Value) -> Bool {
        do {
            _ = try read()
            return true
        } catch {
            return "\(error)".isEmpty
        }
    }

    private func names(_ map: PerfMap) -> Bool {
        for address: UInt64 in [0, 0x1000, 0x7F00_0000_1018, .max] {
            _ = map.function(at: RuntimeAddress(address))
        }
        return map.acceptedLines > 0
    }

    /// Looks up addresses all over the code of a small program, and some where there is none.
    private func symbolizes(_ bytes: [UInt8], _ options: Symbolicator.Options) -> Bool {
        let image = ProgramImage(path: "damaged", buildID: nil, content: .memory(bytes))
        let addresses = Array(stride(from: UInt64(0), to: 0x6000, by: 0x75)) + [.max, 1 << 47]
        return SymbolizedImage(image, addresses.map { ImageAddress($0) }, options: options).failure == nil
    }
}
