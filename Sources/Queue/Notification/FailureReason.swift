import Mail

/// Why a message did not arrive, as far as the status tells, in words that a reader can act on.
///
/// RFC 3463 §3
enum FailureReason: CaseIterable {
    case unknownMailbox, unknownDomain, disabledMailbox, mailboxFull, tooLarge, unreachable
    case expired, refusedByPolicy, contentRefused, loop, unsupported, withdrawn
    case noSecureConnection, other, notYet

    /// The class of the status is not looked at: a temporary failure that went on too long is
    /// reported with the reason that it had.
    init(_ status: EnhancedStatus, isDelayed: Bool) {
        switch (status.subject, status.detail) {
        case (1, 1), (1, 6): self = .unknownMailbox
        case (1, 2), (1, 10), (4, 3): self = .unknownDomain
        case (1, 8), (7, 1), (7, 2), (7, 25), (7, 26), (7, 23): self = .refusedByPolicy
        case (2, 1): self = .disabledMailbox
        case (2, 2): self = .mailboxFull
        case (2, 3), (3, 4): self = .tooLarge
        case (4, 1), (4, 2), (4, 4), (4, 5): self = .unreachable
        case (4, 6): self = .loop
        case (4, 7): self = .expired
        case (6, _): self = isDelayed ? .notYet : .unsupported
        case (7, 4), (7, 10), (7, 30): self = .noSecureConnection
        case (7, 14): self = .withdrawn
        case (7, _): self = .contentRefused
        default: self = isDelayed ? .notYet : .other
        }
    }

    func text(in language: NotificationLanguage, domain: String) -> String {
        switch language {
        case .french: french(domain)
        case .english: english(domain)
        }
    }

    private func french(_ domain: String) -> String {
        switch self {
        case .unknownMailbox:
            "Cette adresse n'existe pas. Vérifiez son orthographe."
        case .unknownDomain:
            "Le domaine \(domain) n'existe pas ou ne reçoit pas de courrier. Vérifiez l'adresse."
        case .disabledMailbox:
            "Cette boîte ne reçoit plus de courrier."
        case .mailboxFull:
            "La boîte du destinataire est pleine. Prévenez-le par un autre moyen."
        case .tooLarge:
            "Le message est trop gros pour ce destinataire. Réduisez ou retirez ses pièces jointes."
        case .unreachable:
            "Le serveur de \(domain) n'a pas pu être joint."
        case .expired:
            "Le message n'a pas pu être remis dans le délai prévu."
        case .refusedByPolicy:
            "Le serveur du destinataire n'accepte pas ce message de votre part."
        case .contentRefused:
            "Le serveur du destinataire a refusé ce message."
        case .loop:
            "Le message tourne en rond entre des serveurs. Signalez-le à votre assistance."
        case .unsupported:
            "Le serveur du destinataire ne sait pas recevoir ce format de message."
        case .withdrawn:
            "Un administrateur de la messagerie a retiré ce message de la file d'attente."
        case .noSecureConnection:
            "Aucune connexion sûre n'a pu être établie avec le serveur de \(domain)."
        case .other:
            "Le serveur du destinataire n'a pas accepté le message."
        case .notYet:
            "Le serveur du destinataire n'accepte pas le message pour le moment."
        }
    }

    private func english(_ domain: String) -> String {
        switch self {
        case .unknownMailbox:
            "This address does not exist. Check its spelling."
        case .unknownDomain:
            "The domain \(domain) does not exist or receives no mail. Check the address."
        case .disabledMailbox:
            "This mailbox no longer receives mail."
        case .mailboxFull:
            "The recipient's mailbox is full. Reach them by other means."
        case .tooLarge:
            "The message is too large for this recipient. Shrink or remove its attachments."
        case .unreachable:
            "The server of \(domain) could not be reached."
        case .expired:
            "The message could not be delivered in the time allowed."
        case .refusedByPolicy:
            "The recipient's server does not accept this message from you."
        case .contentRefused:
            "The recipient's server refused this message."
        case .loop:
            "The message goes round in circles between servers. Tell your help desk."
        case .unsupported:
            "The recipient's server cannot receive this kind of message."
        case .withdrawn:
            "A mail administrator took this message out of the queue."
        case .noSecureConnection:
            "No secure connection to the server of \(domain) could be made."
        case .other:
            "The recipient's server did not accept the message."
        case .notYet:
            "The recipient's server does not accept the message at the moment."
        }
    }
}
