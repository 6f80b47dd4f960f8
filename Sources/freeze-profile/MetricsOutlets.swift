internal import CommandLineTool
internal import JobRuns
internal import LinuxSystem
internal import LiveMonitor
internal import Measurement

/// Where a monitored run's account goes for Prometheus. What cannot be written or reached is a note: the run is not
/// failed by its watchers.
struct MetricsOutlets {
    private let file: String?
    private let gateway: HTTPUpload?

    init(_ arguments: ParsedArguments) throws(ToolFailure) {
        file = arguments.value("openmetrics").map { Files.absolute($0) }
        guard let address = arguments.value("pushgateway") else {
            gateway = nil
            return
        }
        do throws(HTTPUpload.Problem) {
            gateway = try HTTPUpload(address: address)
        } catch {
            throw ToolFailure("The option '--pushgateway' needs another address. \(error)", .usage)
        }
    }

    /// - Parameter job: The Slurm job that the account is of, on whatever nodes; nil for one of a run here, which says its node
    ///   and its job itself where it is a part of one.
    func publish(_ report: MonitorReport, job: String? = nil) {
        guard file != nil || gateway != nil else { return }
        let place = Self.place(job: job)
        let bytes = OpenMetricsText(report, finished: SystemClock.now, place: place).bytes
        if let file {
            do throws(SystemError) {
                try Files.replace(file, with: bytes)
            } catch {
                Console.note("The metrics were not written. \(error)")
            }
        }
        if let gateway {
            do throws(HTTPUpload.Problem) {
                try gateway.put(
                    bytes,
                    path: "/metrics/job/freeze_profile/pipeline\(Self.label(report.name))"
                        + place.map { "/\($0.name)\(Self.label($0.value))" }.joined(),
                    contentType: "text/plain; version=0.0.4; charset=utf-8")
            } catch {
                Console.note("The metrics were not pushed. \(error)")
            }
        }
    }

    /// The labels of a run that Slurm started: runs of one pipeline on many nodes are series of their own.
    private static func place(job: String?) -> [(name: String, value: String)] {
        if let job { return [("slurm_job", job)] }
        let here = TaskHeader.here(program: "")
        return here.allocation == nil ? [] : [("node", here.node), ("slurm_job", here.job)]
    }

    /// A label's value in a path: base64 where it has signs that a path would take for its own.
    private static func label(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || [0x2D, 0x2E, 0x5F, 0x7E].contains(byte)
            }
        return isPlain ? "/\(text)" : "@base64/\(base64(Array(text.utf8)))"
    }

    /// The alphabet for URLs, padded.
    private static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        guard !bytes.isEmpty else { return "=" }
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let part = bytes[start..<min(start + 3, bytes.count)]
            var word = part.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - part.count))
            var digits: [Character] = []
            for _ in 0..<4 {
                digits.insert(alphabet[word & 63], at: 0)
                word >>= 6
            }
            text += String(digits.prefix(part.count + 1)) + String(repeating: "=", count: 3 - part.count)
        }
        return text
    }
}
