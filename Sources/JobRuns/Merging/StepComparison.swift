internal import LiveMonitor
public import Measurement
public import SlurmEngine

/// A step by Slurm's account and by ours, side by side.
public struct StepComparison: Equatable, Sendable {
    public var job: String
    public var step: String
    /// CPU time: Slurm's has that of the monitor too, for it is a process of the step.
    public var cpu: Duration?
    public var ourCPU: Duration
    public var monitorCPU: Duration
    /// The most memory of one task.
    public var peakResident: ByteCount?
    public var ourPeakResident: ByteCount?

    /// By how much they may differ: Slurm's figures come in hundredths of a second, and it counts its own process of the step.
    private static let tolerance = (share: 0.02, seconds: 0.1)

    /// The steps of which both know something.
    public static func of(_ tasks: [TaskRecord], _ accounts: [StepAccount]) -> [StepComparison] {
        accounts.compactMap { account in
            let own = tasks.filter {
                $0.header.job == account.job && ($0.header.step ?? "batch") == account.step
            }
            // Where a task's account is missing there is nothing to compare.
            let reports = own.compactMap(\.report.value)
            guard !own.isEmpty, reports.count == own.count else { return nil }
            let cpu = reports.compactMap(\.totals.cpu.value)
            guard cpu.count == reports.count else { return nil }
            return StepComparison(
                job: account.job, step: account.step, cpu: account.cpu, ourCPU: cpu.reduce(.zero, +),
                monitorCPU: reports.reduce(.zero) { $0 + $1.monitorCPU },
                peakResident: account.peakResident,
                ourPeakResident: reports.compactMap(\.totals.peakResident.value).max())
        }
    }

    /// Whether CPU times agree; nil where Slurm has none.
    public var agrees: Bool? {
        guard let cpu else { return nil }
        let ours = ourCPU.inSeconds
        let slack = max(Self.tolerance.share * ours, Self.tolerance.seconds)
        return cpu.inSeconds >= ours - slack && cpu.inSeconds <= ours + monitorCPU.inSeconds + slack
    }

    /// The figures as a sentence.
    public var sentence: String {
        let theirs = cpu.map { "\($0.inSeconds.fixed(3)) s" } ?? "none"
        let memory =
            peakResident.map { theirs in
                "; memory \(theirs.mebibytes.fixed(1)) MB by sacct"
                    + (ourPeakResident.map { ", \($0.mebibytes.fixed(1)) MB here" } ?? "")
            } ?? ""
        let verdict =
            agrees == false
            ? " They do not agree: a part of the step did not run under 'freeze-profile monitor --task'." : ""
        return
            "Step \(job).\(step): CPU time \(theirs) by sacct, \(ourCPU.inSeconds.fixed(3)) s here\(memory).\(verdict)"
    }
}
