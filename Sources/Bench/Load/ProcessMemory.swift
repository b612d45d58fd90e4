import Glibc
import Wire

/// How much memory processes use, as proportional set size from `/proc`.
///
/// Pages shared with other processes count by their share, so the sum over a tree of processes is
/// what the tree costs.
package struct ProcessMemory: Sendable {
    /// The roots of the process trees to count.
    package enum Root: Sendable {
        case pid(Int)
        /// A file that holds a process number in its first line.
        case pidFile(String)
        /// Every process of this name, the `comm` of the kernel (at most 15 bytes).
        case name(String)
    }

    private let roots: [Root]

    package init(roots: [Root]) {
        self.roots = roots
    }

    /// The sum of the trees in bytes, and how many processes they are.
    func measure() -> (bytes: Int, processes: Int) {
        let processes = Self.processes()
        var members: Set<Int> = []
        var waiting = roots.flatMap { pids(of: $0, in: processes) }
        let children = Dictionary(grouping: processes, by: \.parent)
        while let pid = waiting.popLast() {
            guard members.insert(pid).inserted else { continue }
            waiting += (children[pid] ?? []).map(\.pid)
        }
        return (members.reduce(0) { $0 + Self.proportionalSetSize(of: $1) }, members.count)
    }

    private func pids(of root: Root, in processes: [Process]) -> [Int] {
        switch root {
        case .pid(let pid): [pid]
        case .pidFile(let path):
            Self.contents(of: path).flatMap { Int(lossyDigits: $0) }.map { [$0] } ?? []
        case .name(let name): processes.filter { $0.name == name }.map(\.pid)
        }
    }

    struct Process: Equatable {
        var pid: Int
        var parent: Int
        var name: String

        /// Reads `/proc/PID/stat`: number, name in parentheses, state, parent.
        init?(stat: [UInt8]) {
            guard
                let open = stat.firstIndex(of: 0x28), let close = stat.lastIndex(of: 0x29),
                open < close, let pid = Int(lossyDigits: Array(stat[..<open]))
            else { return nil }
            let fields = stat[(close + 1)...].split(separator: .space)
            guard fields.count >= 2, let parent = Int(lossyDigits: Array(fields[1])) else {
                return nil
            }
            self.pid = pid
            self.parent = parent
            name = String(lossyUTF8: stat[(open + 1)..<close])
        }
    }

    private static func processes() -> [Process] {
        guard let directory = opendir("/proc") else { return [] }
        defer { closedir(directory) }
        var found: [Process] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard Int(name) != nil, let stat = contents(of: "/proc/\(name)/stat") else { continue }
            if let process = Process(stat: stat) { found.append(process) }
        }
        return found
    }

    private static func proportionalSetSize(of pid: Int) -> Int {
        contents(of: "/proc/\(pid)/smaps_rollup").flatMap(pss(in:)) ?? 0
    }

    /// The bytes of the line `Pss:  123 kB`.
    static func pss(in rollup: [UInt8]) -> Int? {
        for line in rollup.split(separator: .lf) where line.startsIgnoringCase(with: "Pss:") {
            return Int(lossyDigits: Array(line.dropFirst(4))).map { $0 * 1024 }
        }
        return nil
    }

    private static func contents(of path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 16 << 10)
        let count = read(file, &bytes, bytes.count)
        guard count >= 0 else { return nil }
        return Array(bytes.prefix(count))
    }
}

extension Int {
    /// The first run of decimal digits in `bytes`.
    fileprivate init?(lossyDigits bytes: [UInt8]) {
        var cursor = Cursor(bytes)
        _ = cursor.take(while: { !$0.isDigit })
        guard let number = cursor.takeNumber(Int.self) else { return nil }
        self = number
    }
}
