/// The version of this package, which all its programs have.
public enum PackageVersion {
    /// Kept in step with CHANGELOG.md and debian/changelog.
    public static let current = "0.2.0"
}
