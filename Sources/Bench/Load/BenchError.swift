/// Why a run could not be made or finished.
package enum BenchError: Error, CustomStringConvertible {
    case option(String)
    case connection(String)
    case refused(command: String, response: String)
    case stalled(seconds: Int)
    case failed(String)

    package var description: String {
        switch self {
        case .option(let text): "wrong option: \(text)"
        case .connection(let text): "connection: \(text)"
        case .refused(let command, let response): "\(command) was answered: \(response)"
        case .stalled(let seconds): "no progress for \(seconds) seconds"
        case .failed(let text): text
        }
    }
}
