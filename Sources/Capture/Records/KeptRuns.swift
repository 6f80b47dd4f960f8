public import FrozenProfile
public import Measurement
internal import ProfileStore
public import StackProfile

/// The runs whose records lie in a directory, for measurements that keep more than one program's.
public struct KeptRuns {
    private let loaded: [LoadedRecord]

    /// Reads the records in a directory; none when it is not there.
    public init(directory: String) throws(CaptureError) {
        do throws(ProfileError) {
            loaded = try LoadedRecord.load(ifThere: directory)
        } catch {
            throw .noInput(error.description)
        }
    }

    /// The records of the runs that ended well, in order.
    public var records: [RunRecord] { RunRecord.inOrder(loaded.map(\.record).filter { !$0.run.hasFailed }) }

    /// How many runs there are of a kind.
    public func count(_ kind: RunKind) -> Int { records.count { $0.run.kind == kind } }

    /// The place in the session's order that a next run takes.
    public var nextIndex: Int { (loaded.map(\.record.run.index).max() ?? 0) + 1 }

    /// What the counted runs executed.
    public var counts: Reading<FrozenCounts> { FrozenCounts.merged(records.compactMap(\.counts)) }

    /// The stacks of all profiled runs, each sample with its run, or why there are none.
    public var stacks: Reading<StackProfile> {
        let profiled = records.filter { $0.run.kind == .profiled }
        do throws(ProfileError) {
            guard let stacks = try ProfileAssembly.stacks(of: profiled, .stacks, in: loaded) else {
                let reason = profiled.compactMap(\.sampler.reason).last
                return .unavailable(reason: reason ?? "the profiled runs have no stacks")
            }
            return .value(stacks)
        } catch {
            return .unavailable(reason: error.description)
        }
    }

    /// The instructions of all counted runs by stage and function, or why there are none.
    public var functions: Reading<StackProfile> {
        let counted = records.filter { $0.run.kind == .counted }
        do throws(ProfileError) {
            guard let stacks = try ProfileAssembly.stacks(of: counted, .counts, in: loaded) else {
                return .unavailable(reason: "the engine counts no functions")
            }
            return .value(stacks)
        } catch {
            return .unavailable(reason: error.description)
        }
    }
}
