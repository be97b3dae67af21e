//! Everything a stranger can make grow, and how far.

use std::time::Duration;

/// How much of rendered texts an instance keeps in memory, in bytes. They lie on disk too, which takes a few times as
/// long; each instance has its own.
pub const RECENT_TEXT_BYTES_MAX: usize = 1 << 20;

/// How much of whole pages an instance keeps in memory, in bytes. One may take a quarter of it.
pub const PAGES_KEPT_BYTES_MAX: usize = 512 << 10;

/// How long a page may be kept, in seconds: by so much may its words for how long ago something was be behind.
pub const PAGE_KEPT_SECONDS: i64 = 5;

/// The longest file name or ref in an address, in bytes after percent-decoding.
pub const PATH_BYTES_MAX: usize = 12 << 10;

/// The deepest file in an address, in segments.
pub const PATH_SEGMENTS_MAX: usize = 255;

/// The largest file that `/-/raw/` makes in memory to send it, in bytes: one that is stored as a delta. Others are
/// sent as they are read, whatever their size.
pub const RAW_MADE_BYTES_MAX: u64 = 64 << 20;

/// How much of a raw file is looked at to tell text and its encoding from what is none, in bytes.
pub const RAW_LOOKED_AT_BYTES: usize = 256 << 10;

/// The largest file shown in a page, in bytes. Past it, there is only a link to the raw file.
pub const BLOB_BYTES_MAX: u64 = 2 << 20;

/// The largest file whose lines are shown in parts, in bytes.
pub const PARTS_BYTES_MAX: u64 = 64 << 20;

/// The most lines of a file that is shown in parts, on one page.
pub const PART_LINES_MAX: usize = 2_000;

/// The most bytes of lines of a file that is shown in parts, on one page.
pub const PART_BYTES_MAX: usize = 1 << 20;

pub use lithe_code::limits::BLOB_LINES_MAX;

/// The most lines of a file that are followed to where they come from.
pub const BLAME_LINES_MAX: usize = 20_000;

/// The largest text that is highlighted, in bytes. Past it, it is shown plain.
pub const HIGHLIGHT_BYTES_MAX: usize = 256 << 10;

/// How long highlighting all that is on one page may take before the rest of it is plain.
pub const HIGHLIGHT_TIME_MAX: Duration = Duration::from_secs(3);

/// How long highlighting one text takes at the least if what is missing of it is missing for want of time.
pub const HIGHLIGHT_SLOW_TIME: Duration = Duration::from_secs(1);

/// The longest name of a language that a highlighter may tell, in bytes.
pub const LANGUAGE_NAME_BYTES_MAX: usize = 100;

/// The largest Markdown text that is rendered, in bytes. Past it, it is shown as plain text.
pub const MARKDOWN_BYTES_MAX: usize = 256 << 10;

/// The deepest nesting of elements that Markdown may lead to. Past it, the text is shown as plain text.
pub const MARKDOWN_DEPTH_MAX: usize = 200;

/// The most work that the text between the elements of rendered Markdown may be, in bytes copied.
pub const MARKDOWN_TEXT_COST_MAX: u64 = 4_000_000_000;

/// The most tree entries on one page; the rest is on further pages.
pub const TREE_ENTRIES_MAX: usize = 1_000;

/// The most tree entries on the summary page; the rest is on the tree's own.
pub const SUMMARY_ENTRIES_MAX: usize = 100;

/// The most files of one page whose sizes are looked up.
pub const TREE_SIZES_MAX: usize = 100;

/// How many commits one page lists.
pub const COMMITS_PER_PAGE: usize = 50;

/// The most commits for one page that are read, or whose trees are.
pub const COMMITS_READ_MAX: usize = 5_000;

/// The most commits for one page that are looked at, be it in the commit-graph alone.
pub const COMMITS_PASSED_MAX: usize = 100_000;

/// The most branches and tags on one page; the rest is on further pages.
pub const REFS_PER_PAGE: usize = 100;

/// The most open ends of a history that a cursor carries in an address: 5,400 bytes, or 8,600 of SHA-256.
/// Past it, the next page begins the walk further back.
pub const CURSOR_IDS_MAX: usize = 200;

/// How many commits further back the walk of a page may begin. Past it, the open ends that are the
/// furthest from the present are left out.
pub const CURSOR_STEPS_MAX: usize = 20_000;

/// The most files that a commit's page lists.
pub const DIFF_FILES_MAX: usize = 3_000;

/// Of how many of these files the changes are shown, if not all is asked for.
pub const DIFF_SHOWN_FILES_MAX: usize = 100;

/// The most trees read to compare two commits.
pub const DIFF_TREES_MAX: usize = 20_000;

/// The most lines of hunks that a commit's page shows, over all files.
pub const DIFF_LINES_MAX: usize = 5_000;

/// The most lines of hunks shown of one file.
pub const DIFF_FILE_LINES_MAX: usize = 3_000;

/// The largest side of a file that is compared, in bytes.
pub const DIFF_FILE_BYTES_MAX: u64 = 1 << 20;

/// The most bytes read to compare files, over all files of a page.
pub const DIFF_BYTES_MAX: u64 = 32 << 20;

/// The most bytes of a commit's message that its page shows.
pub const MESSAGE_BYTES_MAX: usize = 64 << 10;

/// How many groups and repositories one page lists.
pub const LISTED_PER_PAGE: u32 = 100;

/// The most groups and repositories that are put in an order other than by name.
pub const LISTED_SORTED_MAX: u32 = 1_000;

/// The largest rendered text that is kept, in bytes: highlighted, a text is up to ten times as long.
pub const CACHE_ENTRY_BYTES_MAX: usize = 4 << 20;

/// How many rendered texts are kept; at the very most they take 2 GiB.
pub const CACHE_SLOTS: u32 = 512;

// --- Diffs, patches and comparisons ---

/// The most pairs of a deleted and an added file that are looked at to tell which were renamed.
pub const RENAME_PAIRS_MAX: usize = 100_000;

/// The largest file that is looked at to tell whether it was renamed, in bytes.
pub const RENAME_FILE_BYTES_MAX: u64 = 4 << 20;

/// The most bytes read to tell which files were renamed.
pub const RENAME_BYTES_MAX: u64 = 32 << 20;

/// The longest patch sent, in bytes.
pub const PATCH_BYTES_MAX: usize = 32 << 20;

/// The largest side of a file in a patch, in bytes. To compare it takes up to 20 times as much memory, if
/// its lines are short.
pub const PATCH_FILE_BYTES_MAX: u64 = 4 << 20;

/// The most bytes of files read for the patches that one request asks for.
pub const PATCH_READ_BYTES_MAX: u64 = 64 << 20;

/// The most work to tell which files were renamed, in pieces of files that are compared.
pub const RENAME_PIECES_MAX: usize = 50_000_000;

/// The most bytes of changed lines on a page whose words are compared.
pub const MARKED_BYTES_MAX: usize = 512 << 10;

/// The most bytes of files that are highlighted at once for the changes on one page, of both sides up to the last line
/// that is shown. Files that do not fit are plain.
pub const DIFF_COLOURED_AT_ONCE_BYTES_MAX: usize = 8 << 10;

/// The same where more colours are asked for.
pub const DIFF_COLOURED_BYTES_MAX: usize = 256 << 10;

/// The most lines of hunks that a page shows when it is asked for all.
pub const DIFF_FULL_LINES_MAX: usize = 40_000;

/// The most unchanged lines that a hunk shows before and after a change.
pub const CONTEXT_LINES_MAX: u32 = 1_000;

/// The most commits looked at for one page of branches, to tell how far each is from the default branch.
pub const BRANCH_COMMITS_MAX: usize = 20_000;

/// The most branches that are put in the order of their last changes.
pub const BRANCHES_SORTED_MAX: usize = 2_000;

/// The most commits that are looked at to tell how those of two repositories are related.
pub const ACROSS_COMMITS_MAX: usize = 20_000;

/// The most commits that the page of a comparison lists, and its mails hold.
pub const COMPARED_COMMITS_MAX: usize = 250;

// --- Finding the way, summary and files ---

/// The largest text in a form other than Markdown that is rendered, in bytes.
pub const MARKUP_BYTES_MAX: usize = 256 << 10;

/// The most rows of a table that are shown.
pub const TABLE_ROWS_MAX: usize = 2_000;

/// The most columns of a text that is shown as a table.
pub const TABLE_COLUMNS_MAX: usize = 100;

/// The most cells of a table in a text in reStructuredText or Org. Past it, the table is shown as it is typed.
pub const TABLE_CELLS_MAX: usize = 20_000;

/// The most bytes of a cell of a table that are shown.
pub const TABLE_CELL_BYTES_MAX: usize = 1_000;

/// The most cells of a notebook that are shown.
pub const NOTEBOOK_CELLS_MAX: usize = 1_000;

/// The most bytes of one output of a notebook that are shown.
pub const NOTEBOOK_OUTPUT_BYTES_MAX: usize = 20_000;

/// The largest image in a notebook that is shown, in bytes of Base64.
pub const NOTEBOOK_IMAGE_BYTES_MAX: usize = 1 << 20;

/// How long one view may look up the sizes of files, to tell a tree's languages. What is left then is
/// looked up at the next view.
pub const LANGUAGES_TIME_MAX: Duration = Duration::from_millis(10);

/// The most directories that may be left to be looked at.
pub const LANGUAGES_LEFT_MAX: usize = 10_000;

/// The most languages that are shown, those that stand for the rest included.
pub const LANGUAGES_SHOWN_MAX: usize = 8;

/// How many commits the summary lists.
pub const SUMMARY_COMMITS_MAX: usize = 10;

/// How long one view may count commits, to tell how many there are. What is left then is counted at the next view.
pub const EXTENT_TIME_MAX: Duration = Duration::from_millis(20);

/// The most commits that one view counts.
pub const EXTENT_COMMITS_READ_MAX: usize = 50_000;

/// The most commits that are counted though the commit-graph does not know them.
pub const EXTENT_UNKNOWN_MAX: usize = 2_000;

/// The most commits that are looked at to tell how much was pushed since commits were counted last. With more, they
/// are counted anew.
pub const EXTENT_LOOKED_AT_MAX: usize = 2_000;

/// The most new commits that are read for their authors.
pub const EXTENT_AHEAD_MAX: usize = 200;

/// The largest licence that is read, in bytes.
pub const LICENCE_BYTES_MAX: u64 = 64 << 10;

/// The most licence files that are read.
pub const LICENCE_FILES_MAX: usize = 4;

/// The most branches, and the most tags, that are listed to go to.
pub const SWITCH_CHOICES_MAX: usize = 200;

/// The longest text to find branches and tags by, in bytes.
pub const SWITCH_WORDS_BYTES_MAX: usize = 200;

/// The most commits whose trees are looked at for one page of where lines come from.
pub const BLAME_COMMITS_READ_MAX: usize = 5_000;

/// The most commits passed by for one page of where lines come from, be it in the commit-graph alone.
pub const BLAME_COMMITS_PASSED_MAX: usize = 100_000;

/// How long one page may look for where lines come from. What is left then is looked for at the next view.
pub const BLAME_TIME_MAX: Duration = Duration::from_millis(300);

/// How many commits are passed by, at the least, on a way to where blame begins that is kept: a shorter one is gone
/// anew in less time than it takes to keep it.
pub const BLAME_WAY_KEPT_COMMITS_MIN: usize = 1_000;

/// The same of the commits whose trees are looked at on the way.
pub const BLAME_WAY_KEPT_READ_MIN: usize = 50;

/// The largest list of commits to pass over that is read, in bytes.
pub const IGNORED_REVISIONS_BYTES_MAX: u64 = 256 << 10;

/// The most commits that are passed over.
pub const IGNORED_REVISIONS_MAX: usize = 4_096;

/// The most commits whose trees are looked at for one page, to find the last commit of each entry.
pub const LAST_COMMITS_READ_MAX: usize = 2_000;

/// The most commits passed by for one page, to find the last commit of each entry.
pub const LAST_COMMITS_PASSED_MAX: usize = 50_000;

/// How long one page may look for the last commits of its entries. What is left then is looked for at
/// the next view.
pub const LAST_COMMITS_TIME_MAX: Duration = Duration::from_millis(25);

/// How long they are looked for where a tag or a commit is seen for the first time.
pub const LAST_COMMITS_FIRST_TIME_MAX: Duration = Duration::from_micros(500);

/// The most bytes of names on one page of a directory; there are fewer entries on it if theirs are long.
pub const TREE_NAMES_BYTES_MAX: usize = 1 << 20;

/// The most directories of a path that its page leads to, of those nearest to what it shows.
pub const CRUMBS_MAX: usize = 40;

/// The most files that the finder looks through.
pub const FIND_PATHS_MAX: usize = 100_000;

/// The most directories that the finder reads.
pub const FIND_TREES_MAX: usize = 20_000;

/// How long the finder may read directories.
pub const FIND_TIME_MAX: Duration = Duration::from_millis(500);

/// The most files that the finder shows.
pub const FIND_FOUND_MAX: usize = 100;

/// The longest text to find files by, in bytes.
pub const FIND_WORDS_BYTES_MAX: usize = 200;

/// The largest `.gitmodules` that is read, in bytes.
pub const GITMODULES_BYTES_MAX: u64 = 256 << 10;

/// How long the page of a path that is not there may look for the commit that removed it.
pub const MISSING_TIME_MAX: Duration = Duration::from_millis(100);

// --- feeds ------------------------------------------------------------------------------------------

/// The most repositories that a feed of what was changed has.
pub const FEED_REPOSITORIES_MAX: usize = 50;

/// The most bytes of one message that a feed has.
pub const FEED_MESSAGE_BYTES_MAX: usize = 8 << 10;

// --- History: log, graph, commits, branches and tags -------------------------------------------------

/// The longest text to look for in a history, in bytes.
pub const LOG_WORDS_BYTES_MAX: usize = 200;

/// The most memory that a regular expression may take, compiled, and once more as it is used.
pub const LOG_REGEX_BYTES_MAX: usize = 1 << 20;

/// The most trees of one commit and a parent that are compared to tell whether it changed a file that a pathspec
/// selects. With more, it counts as one that did.
pub const LOG_TREES_MAX: usize = 20_000;

/// The most bytes of HTML that a reStructuredText or Org text is written as; one that would have more is shown as it is typed.
pub const MARKUP_HTML_BYTES_MAX: usize = 8 << 20;

/// How much of one commit's message is searched, in bytes.
pub const LOG_MESSAGE_BYTES_MAX: usize = 1 << 20;

/// The most branches and tags that stand beside one commit of a list.
pub const LABELS_PER_COMMIT_MAX: usize = 8;

/// The most words of a message that are looked up to tell whether they are commits' ids.
pub const MESSAGE_IDS_MAX: usize = 50;

/// The longest address in a message that is linked, in bytes.
pub const MESSAGE_ADDRESS_BYTES_MAX: usize = 500;

/// The most issues that are linked in one message or title.
pub const MENTIONS_PER_MESSAGE_MAX: usize = 100;

/// The most places in one message that are looked at to tell whether they name an issue.
pub const MENTIONS_TRIED_MAX: usize = 200;

/// How much of one message is searched for issues, in bytes.
pub const MESSAGE_ISSUES_BYTES_MAX: usize = 16 << 10;

/// The most branches, and the most tags, that a commit's page names as containing it.
pub const CONTAINING_SHOWN_MAX: usize = 10;

/// The most children of a commit that its page links.
pub const CHILDREN_SHOWN_MAX: usize = 10;

/// The most parents of a commit that its page links.
pub const PARENTS_SHOWN_MAX: usize = 50;

/// The most commits passed by for one page, to find what contains a commit.
pub const CONTAINING_PASSED_MAX: usize = 50_000;

/// How long one page may look for what contains a commit. What is left then is looked for at the next view.
pub const CONTAINING_TIME_MAX: Duration = Duration::from_millis(25);

/// The most of one tag's message that the page of all tags has, in bytes.
pub const TAG_MESSAGE_BYTES_MAX: usize = 4 << 10;

/// The most names of keys, and the most addresses, that the store is asked after at once.
pub const SIGNERS_ASKED_MAX: usize = 1_000;

/// The most lanes that a graph draws beside each other.
pub const GRAPH_LANES_MAX: usize = 20;

/// The most commits looked at for one page of a graph, to bring them in their order.
pub const GRAPH_COMMITS_MAX: usize = 20_000;

/// The most branches of which the histories are drawn beside each other: those that were changed last.
pub const GRAPH_BRANCHES_MAX: usize = 100;

/// The most branches that are looked at to tell which were changed last.
pub const GRAPH_BRANCHES_LOOKED_AT_MAX: usize = 1_000;

/// How long one request may look for commits. What is left then is looked at by the next page.
pub const LOG_TIME_MAX: Duration = Duration::from_millis(150);

/// The same, for commits that changed files that a pathspec selects, of which the trees of all have to be compared.
pub const LOG_PATHSPEC_TIME_MAX: Duration = Duration::from_millis(500);

// --- statistics -------------------------------------------------------------------------------------

/// The most commits that are read for one view of the statistics; what is left is counted with the next.
pub const STATISTICS_COMMITS_READ_MAX: usize = 20_000;

/// How long one view may count.
pub const STATISTICS_TIME_MAX: Duration = Duration::from_millis(250);

/// The most authors that are told apart; the rest is counted together.
pub const STATISTICS_AUTHORS_MAX: usize = 8_000;

/// The most bytes of an author's name, and of the address.
pub const STATISTICS_AUTHOR_BYTES_MAX: usize = 100;

/// The most authors that the page lists.
pub const STATISTICS_AUTHORS_SHOWN_MAX: usize = 50;

/// The most commits that the commit-graph does not know and that are counted all the same.
pub const STATISTICS_UNKNOWN_MAX: usize = 20_000;

/// The most columns of the chart of weeks; longer histories have several weeks in each.
pub const STATISTICS_COLUMNS_MAX: usize = 104;

/// How long one view may count languages over time.
pub const COURSE_TIME_MAX: Duration = Duration::from_millis(150);

/// The most commits of which the languages are counted, over all of a history.
pub const COURSE_POINTS_MAX: usize = 60;

/// The most commits that one view looks at to find those.
pub const COURSE_COMMITS_READ_MAX: usize = 100_000;

/// How many events of the site a page or feed has.
pub const EVENTS_PER_PAGE: u32 = 50;

/// The most refs that are shown of one push.
pub const EVENT_MOVES_MAX: usize = 5;
