//! Issuers of other providers: one, or one for each of Microsoft's directories.

/// What stands for the directory's id where there are many.
pub(super) const DIRECTORY: &str = "{tenantid}";

/// Whether an issuer is the one that is configured, or that of one of its directories.
pub(super) fn may_issue_as(configured: &str, issuer: &str) -> bool {
    let Some((before, after)) = configured.split_once(DIRECTORY) else {
        return issuer == configured;
    };
    let id = issuer.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    id.is_some_and(is_directory)
}

/// Whether this is how a directory's id is written: a GUID, in either case.
pub fn is_directory(id: &str) -> bool {
    id.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// Whether each directory has an issuer of its own.
pub(super) fn has_directories(configured: &str) -> bool {
    configured.contains(DIRECTORY)
}

/// Whether braces stand in it for a directory's id alone, once, and behind the host.
pub(super) fn has_its_braces_right(issuer: &str) -> bool {
    let directories = issuer.matches(DIRECTORY).count();
    let braces = issuer.matches(['{', '}']).count();
    let in_path = issuer
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('/'))
        .is_some_and(|(_, path)| path.contains(DIRECTORY));
    directories <= 1 && braces == 2 * directories && (directories == 0 || in_path)
}

/// Whether it can be told to people and compared: 1 to 200 visible ASCII characters.
pub(super) fn is_issuer(text: &str) -> bool {
    (1..=200).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
