import LinuxProcess
import LinuxSystem
import ProfileFormats
import PythonFrames
import StackProfile
import StackSampler
import Stages
import Symbolication

extension Reader {
    /// Whether the file at a path was read rather than refused, through the door that the command opens it by.
    ///
    /// Others may cut it short or replace it meanwhile.
    func accepts(at path: String) -> Bool {
        switch self {
        case .archive, .foreign:
            isRead {
                try Files.read(path, .beside, limit: 64 << 20).withUnsafeBytes {
                    FoldedStacks.write(try StackInput($0).profile)
                }
            }
        case .elf: isRead { try ElfImage(OpenFile(path, .named)) }
        case .names: symbolizes(at: path, .init(lines: false))
        case .debugInformation: symbolizes(at: path, .init(lines: true, inlines: true))
        case .unwinding: walks(path)
        case .interpreter: isRead { if try !PythonLocator.isInterpreter(path) { throw Refused() } }
        case .status: isRead { try StatusSnapshot.read(path) }
        case .trace: follows(path)
        default:
            isRead {
                guard accepts(try Files.read(path, .beside, limit: 64 << 20)) else { throw Refused() }
            }
        }
    }

    private struct Refused: Error {}

    private func symbolizes(at path: String, _ options: Symbolicator.Options) -> Bool {
        do {
            let file = try OpenFile(path, .named)
            let identifier = try ElfImage(file).buildID
            let image = ProgramImage(path: path, buildID: identifier, content: .file(file))
            return Self.symbolizes(image, options)
        } catch {
            return false
        }
    }

    /// Stacks whose words lead all over the image.
    private func walks(_ path: String) -> Bool {
        do {
            guard let walk = ImageWalk(try OpenFile(path, .named)) else { return false }
            var found = 0
            for start in stride(from: UInt64(0x400), to: 0x6000, by: 0x1A3) {
                let words = (0..<256 as Range<UInt64>).map { 1 << 32 + (start &+ $0 &* 0x275) % 0x6000 }
                found += words.withUnsafeBytes { walk.walk(from: start, stack: $0) }
            }
            return found > 0
        } catch {
            return false
        }
    }

    /// A trace of a run that is over, and one that is followed.
    private func follows(_ path: String) -> Bool {
        var feed = StageFeed(
            statusFile: StatusLocation(outputDirectory: Files.directory(of: path)).statusFile,
            existing: .isOfThisRun(since: 0))
        var events = 0
        for _ in 0..<4 { events += feed.read().count }
        _ = feed.notes
        guard let trace = StageTrace(path) else { return events > 0 }
        _ = trace.timeline.label(atMonotonicNanoseconds: 12, threadID: 1)
        return true
    }
}
