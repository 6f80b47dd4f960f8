public import FrozenProfile

extension StageTruth {
    /// The truth in the file at a path.
    public static func load(path: String) throws(ProfileError) -> StageTruth {
        try decode(try ProfileStore.read(path: path, limit: maximumBytes), name: path)
    }
}

extension RunRecord {
    /// The record in a file.
    public static func load(path: String) throws(ProfileError) -> RunRecord {
        try decode(try ProfileStore.read(path: path, limit: maximumBytes), name: path)
    }
}
