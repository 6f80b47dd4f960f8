internal import FrozenProfile

/// What must not differ, each with the name by which `--allow` lets it.
///
/// Besides these, the keys of ``IdentityKey`` that are not about the source and not about the stages.
public enum ComparabilityKey: String, CaseIterable, Sendable {
    case dataset = "dataset_id"
    case episodes = "episodes_processed"
    /// Neither side has a stage of the other.
    case stages
    case dirty = "git_dirty"
    case sampler
    case samplerRate = "sampler_rate"
    case samplerHealth = "sampler_health"
    case exitStatus = "exit_status"
    /// The digest of what the pipeline produced, where it declares one.
    case output
    /// Fixed work took another time: the machine was faster or slower.
    case canary
    /// Sessions that are no fair measurement: left out unless allowed.
    case invalidSession = "invalid_session"
    /// A file whose content is not what was frozen.
    case edited

    /// Every name that can be allowed, in order of appearance.
    public static var allNames: [String] {
        allCases.map(\.rawValue) + IdentityKey.allCases.filter(\.mustMatch).map(\.rawValue)
    }
}

extension IdentityKey {
    /// Whether a difference forbids a comparison. Stages are matched one by one, so their graph may differ.
    var mustMatch: Bool { !isSource && self != .stageGraph }
}
