internal import LinuxProcess

/// The JSON Schema of frozen profiles, asked through Python's `jsonschema`.
public enum ProfileSchema {
    public static let path = "\(BuiltProduct.packageDirectory)/docs/formats/frozen-profile.schema.json"

    /// Why the schema could not be asked.
    public struct NotChecked: Error, CustomStringConvertible {
        public var description: String
    }

    /// For each YAML file the places and messages of what the schema does not allow; none for a valid one.
    public static func problems(in files: [String]) throws -> [[String]] {
        let script = """
            import json, sys, yaml
            from jsonschema import Draft202012Validator as Validator
            schema = json.load(open(sys.argv[1]))
            Validator.check_schema(schema)
            def leaves(error):
                if not error.context:
                    return [error]
                return [leaf for inner in error.context for leaf in leaves(inner)]
            for path in sys.argv[2:]:
                document = yaml.safe_load(open(path, encoding="utf-8"))
                found = []
                for error in Validator(schema).iter_errors(document):
                    for leaf in leaves(error):
                        place = "/".join(str(part) for part in leaf.absolute_path)
                        found.append(f"{place}: {leaf.message[:200]}")
                print(json.dumps(sorted(set(found))))
            """
        let result = try runCommand(["python3", "-c", script, path] + files)
        guard result.status == .code(0) else {
            throw NotChecked(
                description: "Python needs jsonschema and PyYAML: scripts/bootstrap --tests. "
                    + result.standardError)
        }
        return result.standardOutput.split(separator: "\n").map { line in
            line == "[]"
                ? []
                : line.dropFirst(2).dropLast(2).replacing("\", \"", with: "\n")
                    .split(separator: "\n").map(String.init)
        }
    }
}
