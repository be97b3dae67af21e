//! How much of one object is read, of one line shown, and how much is kept from one request to the next.

/// The largest commit, tree or tag read, in bytes: 100,000 tree entries need about 5 MB.
pub const OBJECT_BYTES_MAX: u64 = 64 << 20;

/// The most bytes of one line that a page shows.
pub const LINE_BYTES_MAX: usize = 10_000;

/// The longest title of a commit that is shown, in bytes.
pub const TITLE_BYTES_MAX: usize = 500;

/// The most lines of a file on one page: highlighted and compressed, so many weigh some 70 KB.
pub const BLOB_LINES_MAX: usize = 3_000;

/// How many repositories an instance keeps open.
pub const REPOSITORIES_KEPT_MAX: usize = 4;

/// How much of the files of each of them stays in memory, in bytes.
pub const KEPT_FILES_BYTES_MAX: usize = 512 << 10;

/// How much of the objects that deltas are based on, in bytes.
pub const KEPT_BASES_BYTES_MAX: usize = 512 << 10;

/// How much of the commits, trees and tags that were read last is kept of each of them, in bytes.
pub const RECENT_BYTES_MAX: usize = 512 << 10;

/// How much of the files of a repository stays in memory where each object is read once, in bytes.
pub const UNSHARED_FILES_BYTES_MAX: usize = 4 << 20;

/// How much of objects is kept there for the deltas based on them, in bytes.
pub const UNSHARED_BASES_BYTES_MAX: usize = 32 << 20;

/// How much of deltas whose sizes were asked for is kept of it until they are applied, in bytes.
pub const UNSHARED_DELTAS_BYTES_MAX: usize = 8 << 20;

/// Of how many pairs of commits it is kept how far they are apart, for each of them.
pub const DISTANCES_KEPT_MAX: usize = 2_000;

/// Of how many files the size is kept, for each of them.
pub const HEADERS_KEPT_MAX: usize = 4_000;

/// The largest version of a file whose lines are followed further back, in bytes.
pub const BLAME_FILE_BYTES_MAX: u64 = 2 << 20;

/// How many parents of one commit are asked for the lines of a file.
pub const BLAME_PARENTS_MAX: usize = 64;

/// In how many parents of one commit a file is looked for under another name.
pub const BLAME_RENAMED_PARENTS_MAX: usize = 4;

/// The longest path that a file may have had before, in bytes.
pub const RENAMED_PATH_BYTES_MAX: usize = 4_096;

/// The deepest path that a file may have had before, in segments.
pub const RENAMED_PATH_SEGMENTS_MAX: usize = 255;

/// The most trees read to find out what a file was called before.
pub const RENAME_TREES_MAX: usize = 5_000;

/// The most files that a file may have been before. With more, it counts as new.
pub const RENAME_CANDIDATES_MAX: usize = 1_000;

/// The most bytes read to find out what a file was called before.
pub const RENAME_BYTES_MAX: u64 = 16 << 20;

/// The most commits that are looked at to tell how two commits are related.
pub const RELATED_COMMITS_MAX: usize = 100_000;

/// The longest path that a symbolic link may hold to be followed, in bytes.
pub const SYMLINK_BYTES_MAX: u64 = 4_096;

/// How many symbolic links are followed to come to what one leads to, as under Linux.
pub const SYMLINKS_FOLLOWED_MAX: usize = 40;

/// The most segments that may be left to go on the way there.
pub const SYMLINK_SEGMENTS_MAX: usize = 1_000;

/// The largest `.mailmap` that is read, in bytes.
pub const MAILMAP_BYTES_MAX: u64 = 512 << 10;

/// How many of them an instance keeps, taken apart.
pub const MAILMAPS_KEPT_MAX: usize = 4;

/// The most branches and tags that one walk finds out about, whether they contain a commit.
pub const CONTAINING_TIPS_MAX: usize = 2_048;

/// Of how many commits it is kept what contains them, for each of the repositories.
pub const CONTAINING_KEPT_MAX: usize = 500;

/// The most tags that are read to find out which commits they lead to, where `packed-refs` does not say.
pub const LABEL_TAGS_READ_MAX: usize = 1_000;

/// The largest note about a commit that is read, in bytes.
pub const NOTE_BYTES_MAX: u64 = 64 << 10;

/// How much of a text that is not UTF-8 is looked at to guess its encoding, in bytes.
pub const ENCODING_PROBE_BYTES: usize = 64 << 10;

/// The largest `.gitattributes` that is read, in bytes. A larger one is passed over.
pub const ATTRIBUTES_BYTES_MAX: u64 = 1 << 20;

/// The longest line of a `.gitattributes`, in bytes. As with Git, a longer one is passed over.
pub const ATTRIBUTES_LINE_BYTES_MAX: usize = 2047;

/// The most `**` in a pattern of a `.gitattributes`: each doubles how long matching may take. A pattern
/// with more is passed over.
pub const DOUBLE_STARS_MAX: usize = 4;

/// The most that the `.gitattributes` above one directory have together, in bytes.
pub const ATTRIBUTES_SUM_BYTES_MAX: u64 = 4 << 20;

/// The most names of attributes in the lines that matter of the `.gitattributes` of one tree.
pub const ATTRIBUTE_NAMES_MAX: usize = 10_000;

/// The most steps that matching the paths of one request with patterns may take.
pub const MATCHING_STEPS_MAX: u64 = 1 << 32;
