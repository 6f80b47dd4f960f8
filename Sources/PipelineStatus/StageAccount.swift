internal import JSONDocument
internal import Measurement

/// Adds up stages from their edges. Pure: the clocks are read by the caller.
struct StageAccount {
    private struct Stage {
        var name: StageName
        /// Starts of the spans that are open, oldest first.
        var open: [Int64] = []
        var entered = 0
        var wallNanoseconds: Int64 = 0
        var workNanoseconds: Int64 = 0
        var cpu: Duration = .zero
        var isShared = false
        /// When the stage went from no open span to one.
        var activeSince: StageEdge?
    }

    /// In order of first entry.
    private var stages: [Stage] = []
    private var indices: [StageName: Int] = [:]
    private var current: (stage: StageName, since: Timestamp, episode: EpisodePosition?)?

    private var activeIndices: [Int] { stages.indices.filter { !stages[$0].open.isEmpty } }

    mutating func begin(_ name: StageName, episode: EpisodePosition?, at edge: StageEdge) {
        current = (name, edge.timestamp, episode)
        guard name != .done else { return }
        let index = index(of: name)
        let others = activeIndices.filter { $0 != index }
        for other in others { stages[other].isShared = true }
        if !others.isEmpty { stages[index].isShared = true }
        if stages[index].open.isEmpty { stages[index].activeSince = edge }
        stages[index].open.append(edge.monotonicNanoseconds)
    }

    /// Ends the oldest open span of a stage: false when there is none.
    mutating func end(_ name: StageName, at edge: StageEdge) -> Bool {
        guard let index = indices[name], !stages[index].open.isEmpty else { return false }
        let start = stages[index].open.removeFirst()
        stages[index].entered += 1
        stages[index].workNanoseconds += edge.monotonicNanoseconds - start
        if stages[index].open.isEmpty, let since = stages[index].activeSince {
            stages[index].wallNanoseconds += edge.monotonicNanoseconds - since.monotonicNanoseconds
            stages[index].cpu += edge.processCPU - since.processCPU
            stages[index].activeSince = nil
        }
        if current?.stage == name, let other = activeIndices.last {
            current?.stage = stages[other].name
            if let since = stages[other].activeSince { current?.since = since.timestamp }
            current?.episode = nil
        }
        return true
    }

    /// The status file's text.
    func statusText(pid: Int32, startedAt: Timestamp) -> String {
        guard let current else { return "{}\n" }
        var fields = [
            "\"schema_version\": 1",
            "\"pid\": \(pid)",
            "\"stage\": \(current.stage.text.asJSON)",
            "\"started_at\": \(startedAt.secondsSinceEpoch.fixed(6))",
            "\"stage_started_at\": \(current.since.secondsSinceEpoch.fixed(6))",
        ]
        if let episode = current.episode {
            fields.append("\"episode_idx\": \(episode.index)")
            if let total = episode.total { fields.append("\"episode_total\": \(total)") }
        }
        let active = activeIndices.map { stages[$0].name.text.asJSON }
        fields.append("\"active_stages\": [\(active.joined(separator: ", "))]")
        let history = stages.filter { $0.entered > 0 }.map(historyText)
        fields.append("\"history\": [" + history.map { "\n    \($0)" }.joined(separator: ",") + "]")
        return "{\n  " + fields.joined(separator: ",\n  ") + "\n}\n"
    }

    private func historyText(_ stage: Stage) -> String {
        let wall = Duration(nanosecondCount: stage.wallNanoseconds).inSeconds.fixed(6)
        let work = Duration(nanosecondCount: stage.workNanoseconds).inSeconds.fixed(6)
        let shared = stage.isShared ? ", \"shared\": true" : ""
        return "{\"stage\": \(stage.name.text.asJSON), \"entered\": \(stage.entered), \"wall_s\": \(wall), "
            + "\"work_s\": \(work), \"cpu_s\": \(stage.cpu.inSeconds.fixed(6))\(shared)}"
    }

    private mutating func index(of name: StageName) -> Int {
        if let index = indices[name] { return index }
        stages.append(Stage(name: name))
        indices[name] = stages.count - 1
        return stages.count - 1
    }
}
