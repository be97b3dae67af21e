//! The messages of git-fsck(1).

/// Whether an object with this is to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Git's errors, and its warnings, which `--strict` makes errors.
    Error,
    /// Git's information.
    Warning,
}

/// One message.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// Git's name for it, such as `hasDotgit`.
    pub id: &'static str,
    pub severity: Severity,
    /// The same in words.
    pub text: &'static str,
}

impl std::fmt::Display for Message {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.id, self.text)
    }
}

const fn error(id: &'static str, text: &'static str) -> Message {
    Message { id, severity: Severity::Error, text }
}

const fn warning(id: &'static str, text: &'static str) -> Message {
    Message { id, severity: Severity::Warning, text }
}

pub(super) static NUL_IN_HEADER: Message = error("nulInHeader", "there is a NUL in the header");
pub(super) static UNTERMINATED_HEADER: Message = error("unterminatedHeader", "the header has no end");

pub(super) static BAD_TREE: Message = error("badTree", "this is not a tree");
pub(super) static NULL_SHA1: Message = error("nullSha1", "an entry has the null id");
pub(super) static FULL_PATHNAME: Message = error("fullPathname", "a name has a slash");
pub(super) static EMPTY_NAME: Message = error("emptyName", "a name is empty");
pub(super) static HAS_DOT: Message = error("hasDot", "an entry is called `.`");
pub(super) static HAS_DOTDOT: Message = error("hasDotdot", "an entry is called `..`");
pub(super) static HAS_DOTGIT: Message = error("hasDotgit", "an entry is called `.git`, to some file system");
pub(super) static ZERO_PADDED_FILEMODE: Message = error("zeroPaddedFilemode", "a mode begins with a zero");
pub(super) static LARGE_PATHNAME: Message = error("largePathname", "a name is longer than 4096 bytes");
pub(super) static BAD_FILEMODE: Message = warning("badFilemode", "a mode is not one of Git's");
pub(super) static DUPLICATE_ENTRIES: Message = error("duplicateEntries", "a name is there twice");
pub(super) static TREE_NOT_SORTED: Message = error("treeNotSorted", "the entries are not in order");
pub(super) static GITMODULES_SYMLINK: Message =
    error("gitmodulesSymlink", "`.gitmodules` is a symbolic link");
pub(super) static GITATTRIBUTES_SYMLINK: Message =
    warning("gitattributesSymlink", "`.gitattributes` is a symbolic link");
pub(super) static GITIGNORE_SYMLINK: Message = warning("gitignoreSymlink", "`.gitignore` is a symbolic link");
pub(super) static MAILMAP_SYMLINK: Message = warning("mailmapSymlink", "`.mailmap` is a symbolic link");

pub(super) static MISSING_TREE: Message = error("missingTree", "the line `tree` is missing");
pub(super) static BAD_TREE_SHA1: Message = error("badTreeSha1", "the line `tree` has no id");
pub(super) static BAD_PARENT_SHA1: Message = error("badParentSha1", "a line `parent` has no id");
pub(super) static MISSING_AUTHOR: Message = error("missingAuthor", "the line `author` is missing");
pub(super) static MULTIPLE_AUTHORS: Message = error("multipleAuthors", "there are several lines `author`");
pub(super) static MISSING_COMMITTER: Message = error("missingCommitter", "the line `committer` is missing");
pub(super) static NUL_IN_COMMIT: Message = error("nulInCommit", "there is a NUL in the message");

pub(super) static MISSING_NAME_BEFORE_EMAIL: Message =
    error("missingNameBeforeEmail", "there is no name before the address");
pub(super) static BAD_NAME: Message = error("badName", "the name has a `>`");
pub(super) static MISSING_EMAIL: Message = error("missingEmail", "there is no address");
pub(super) static MISSING_SPACE_BEFORE_EMAIL: Message =
    error("missingSpaceBeforeEmail", "there is no space before the address");
pub(super) static BAD_EMAIL: Message = error("badEmail", "the address is not closed by a `>`");
pub(super) static MISSING_SPACE_BEFORE_DATE: Message =
    error("missingSpaceBeforeDate", "there is no space before the date");
pub(super) static BAD_DATE: Message = error("badDate", "the date is not a number");
pub(super) static ZERO_PADDED_DATE: Message = error("zeroPaddedDate", "the date begins with a zero");
pub(super) static BAD_DATE_OVERFLOW: Message = error("badDateOverflow", "the date is too far");
pub(super) static BAD_TIMEZONE: Message = error("badTimezone", "the time zone is not of the form +hhmm");

pub(super) static MISSING_OBJECT: Message = error("missingObject", "the line `object` is missing");
pub(super) static BAD_OBJECT_SHA1: Message = error("badObjectSha1", "the line `object` has no id");
pub(super) static MISSING_TYPE_ENTRY: Message = error("missingTypeEntry", "the line `type` is missing");
pub(super) static MISSING_TYPE: Message = error("missingType", "the line `type` has no end");
pub(super) static BAD_TYPE: Message = error("badType", "the type is unknown");
pub(super) static MISSING_TAG_ENTRY: Message = error("missingTagEntry", "the line `tag` is missing");
pub(super) static MISSING_TAG: Message = error("missingTag", "the line `tag` has no end");
pub(super) static BAD_TAG_NAME: Message = warning("badTagName", "the tag's name could not be a ref");
pub(super) static MISSING_TAGGER_ENTRY: Message =
    warning("missingTaggerEntry", "the line `tagger` is missing");
pub(super) static BAD_GPGSIG: Message = error("badGpgsig", "the signature in the header has no end");
pub(super) static BAD_HEADER_CONTINUATION: Message =
    error("badHeaderContinuation", "the signature in the header goes on without an end");

pub(super) static GITMODULES_LARGE: Message = error("gitmodulesLarge", "`.gitmodules` is too large");
pub(super) static GITMODULES_PARSE: Message = warning("gitmodulesParse", "`.gitmodules` cannot be read");
pub(super) static GITMODULES_NAME: Message = error("gitmodulesName", "a submodule's name leads outside");
pub(super) static GITMODULES_URL: Message = error("gitmodulesUrl", "a submodule's url is not allowed");
pub(super) static GITMODULES_PATH: Message = error("gitmodulesPath", "a submodule's path is not allowed");
pub(super) static GITMODULES_UPDATE: Message = error("gitmodulesUpdate", "a submodule's update is a command");
pub(super) static GITATTRIBUTES_LARGE: Message = error("gitattributesLarge", "`.gitattributes` is too large");
pub(super) static GITATTRIBUTES_LINE_LENGTH: Message =
    error("gitattributesLineLength", "`.gitattributes` has too long a line");
