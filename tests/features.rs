//! What Kallithea shows about a repository, and where Lithe has it: the rows K001 to K076 of the list of
//! features that Lithe follows.
//!
//! docs/features.md is the table of all of them, written by the test that compares it; each test that a row
//! names exists.

use crate::kit::root;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

/// One thing that Kallithea does.
struct Feature {
    id: &'static str,
    about: &'static str,
    outcome: Outcome,
}

enum Outcome {
    /// Here too: where, and the tests that show it.
    Here(&'static str, &'static [&'static str]),
    /// Another way, and why; and the tests that show it.
    Differs(&'static str, &'static [&'static str]),
    /// Not yet: what is missing.
    Later(&'static str),
    /// Never: why not.
    Apart(&'static str),
}

use Outcome::{Apart, Differs, Here, Later};

/// The files of tests that rows name, by the word that stands for them.
const PLACES: &[(&str, &str)] = &[
    ("admin", "tests/admin.rs"),
    ("archive", "tests/archive.rs"),
    ("archives", "components/archive/tests/archives.rs"),
    ("attributes", "components/browse/tests/attributes.rs"),
    ("auth", "tests/auth.rs"),
    ("blame", "components/browse/tests/blame.rs"),
    ("combined", "components/browse/tests/combined.rs"),
    ("comparisons", "components/browse/tests/comparisons.rs"),
    ("containing", "components/browse/tests/containing.rs"),
    ("contents", "components/search/tests/contents.rs"),
    ("diffs", "components/browse/tests/diffs.rs"),
    ("edit", "tests/edit.rs"),
    ("feeds", "tests/feeds.rs"),
    ("files", "components/browse/tests/files.rs"),
    ("find", "components/browse/src/find.rs"),
    ("git_http", "tests/git_http.rs"),
    ("graphs", "components/browse/tests/graphs.rs"),
    ("highlight", "components/browse/src/highlight.rs"),
    ("histories", "components/browse/tests/histories.rs"),
    ("hostile", "components/browse/tests/hostile.rs"),
    ("issue_links", "tests/issue_links.rs"),
    ("large_files", "tests/large_files.rs"),
    ("last_commits", "components/browse/tests/last_commits.rs"),
    ("limits", "components/browse/tests/limits.rs"),
    ("listing", "tests/listing.rs"),
    ("log", "components/browse/tests/log.rs"),
    ("machines", "tests/machines.rs"),
    ("maintenance", "tests/maintenance.rs"),
    ("markdown", "components/browse/src/markdown.rs"),
    ("markup", "components/browse/src/markup/mod.rs"),
    ("names", "components/browse/tests/names.rs"),
    ("org", "components/browse/src/markup/org/tests.rs"),
    ("pages", "components/browse/tests/pages.rs"),
    ("patches", "components/browse/tests/patches.rs"),
    ("pattern", "components/search/src/pattern.rs"),
    ("permissions", "tests/permissions.rs"),
    ("raw", "components/browse/src/raw.rs"),
    ("route", "components/browse/src/route.rs"),
    ("rst", "components/browse/src/markup/rst/tests.rs"),
    ("search", "tests/search.rs"),
    ("sending", "components/browse/src/sending.rs"),
    ("statistics", "components/browse/tests/statistics.rs"),
    ("submodules", "components/browse/src/submodules.rs"),
    ("summaries", "components/browse/tests/summaries.rs"),
    ("views", "components/browse/tests/views.rs"),
];

const FEATURES: &[Feature] = &[
    Feature {
        id: "K001",
        about: "the groups and repositories of the site that the viewer may read",
        outcome: Here(
            "`/`, filtered, by name or by last change, with owners",
            &[
                "pages::groups",
                "listing::entries_are_filtered_and_put_in_order",
                "listing::nobody_finds_what_they_may_not_read",
                "limits::so_many_repositories_are_on_a_page",
            ],
        ),
    },
    Feature {
        id: "K002",
        about: "a page about the program",
        outcome: Apart("the foot of each page names it"),
    },
    Feature {
        id: "K003",
        about: "a switcher of repositories",
        outcome: Here(
            "in the head of every page",
            &[
                "listing::nobody_finds_what_they_may_not_read",
                "listing::pages_say_what_they_are_to_browsers_and_to_those_who_link_to_them",
            ],
        ),
    },
    Feature {
        id: "K004",
        about: "names of users and groups completed as they are typed",
        outcome: Later("comes with review; forms take the names as they are"),
    },
    Feature {
        id: "K005",
        about: "the page of a group, with what is in it",
        outcome: Here(
            "`/<group>`",
            &[
                "pages::groups",
                "listing::entries_are_filtered_and_put_in_order",
                "permissions::who_gets_what",
            ],
        ),
    },
    Feature {
        id: "K006",
        about: "addresses of repositories by their path, at any depth",
        outcome: Here(
            "`/<group>/…/<repository>`, with pages below `/-/`",
            &["git_http::who_may_clone_and_push", "route::long_and_deep_addresses_are_refused"],
        ),
    },
    Feature {
        id: "K007",
        about: "an address that survives renaming",
        outcome: Here(
            "`/_<number>`; the box with the address to clone has it too",
            &[
                "admin::the_permanent_address_survives_a_rename",
                "summaries::the_permanent_address_is_offered_beside_the_name",
            ],
        ),
    },
    Feature {
        id: "K008",
        about: "a reserved prefix for administration",
        outcome: Here(
            "`/-/admin`; no name begins with a hyphen",
            &["admin::administration_does_not_exist_for_others"],
        ),
    },
    Feature {
        id: "K009",
        about: "branches and tags to switch to",
        outcome: Here(
            "on tree, file, log and summary",
            &["pages::directories", "pages::files", "pages::histories"],
        ),
    },
    Feature {
        id: "K010",
        about: "the summary: description, address to clone, latest commits, README",
        outcome: Here(
            "`/<repository>`: the latest ten commits, how many there are and of how many people, as far as that is known",
            &[
                "pages::the_summary",
                "summaries::the_latest_commits_are_those_of_git_log",
                "summaries::as_many_commits_are_counted_as_git_counts_whatever_was_pushed",
                "summaries::people_are_counted_once_the_statistics_are_and_from_then_on",
            ],
        ),
    },
    Feature {
        id: "K011",
        about: "a box with the addresses to clone",
        outcome: Here(
            "HTTP, by the name and by the number",
            &["pages::the_summary", "summaries::the_permanent_address_is_offered_beside_the_name"],
        ),
    },
    Feature {
        id: "K012",
        about: "how to begin in an empty repository",
        outcome: Here("the summary of one without commits", &["pages::an_empty_repository"]),
    },
    Feature {
        id: "K013",
        about: "README rendered",
        outcome: Here(
            "the summary and each directory: Markdown, reStructuredText, Org or plain text; also in `docs`, and where it is a \
             symbolic link",
            &[
                "pages::the_summary",
                "summaries::a_readme_is_found_by_its_names_and_in_docs",
                "summaries::a_readme_that_is_a_symbolic_link_is_followed_within_the_tree",
                "markdown::the_extensions_of_github_work",
                "markdown::relative_links_lead_to_the_files",
                "markdown::what_could_run_or_load_is_taken_out",
                "markup::a_bomb_takes_no_longer_than_its_length_allows",
                "org::headlines_say_what_is_to_be_done",
                "org::lists_nest_and_keep_what_is_typed",
                "rst::links_lead_to_what_they_name",
                "rst::tables_are_read_by_their_lines",
            ],
        ),
    },
    Feature {
        id: "K014",
        about: "the size of a repository",
        outcome: Differs(
            "for its administrators, among its settings",
            &["maintenance::by_hand_everything_is_made_one_pack_and_served_as_before"],
        ),
    },
    Feature {
        id: "K015",
        about: "counts of followers, forks and pull requests",
        outcome: Later("comes with forks and review"),
    },
    Feature {
        id: "K016",
        about: "a menu of archives",
        outcome: Here(
            "summary, directories (of what is in them), commits and tags",
            &[
                "archive::pages_lead_to_archives_and_downloads_of_what_they_show",
                "files::archives_are_offered_of_what_a_page_shows",
            ],
        ),
    },
    Feature {
        id: "K017",
        about: "an empty repository has a page and no error",
        outcome: Here("its summary says how to begin", &["pages::an_empty_repository"]),
    },
    Feature {
        id: "K018",
        about: "the log in pages",
        outcome: Here(
            "`/-/commits/<ref>`, by a cursor, so that a page costs the same at any depth",
            &[
                "histories::a_history_is_that_of_git_log",
                "histories::a_history_is_that_of_git_log_whatever_the_clocks_say",
                "pages::histories",
            ],
        ),
    },
    Feature {
        id: "K019",
        about: "a graph of the commits",
        outcome: Here(
            "`/-/commits/<ref>?graph=1`, of all branches with `&all=1`",
            &[
                "graphs::all_branches_are_drawn_page_by_page_in_the_order_of_git",
                "graphs::commits_come_in_the_order_of_git",
                "graphs::lanes_are_drawn_down_to_their_commits",
            ],
        ),
    },
    Feature {
        id: "K020",
        about: "the log of one branch",
        outcome: Here("`/-/commits/<ref>`", &["histories::a_history_is_that_of_git_log"]),
    },
    Feature {
        id: "K021",
        about: "the log of a file or directory",
        outcome: Here(
            "`/-/commits/<ref>/<path>`, and with `?follow=1` under its earlier names",
            &[
                "histories::the_history_of_a_file_is_that_of_git_log",
                "log::a_file_is_followed_to_its_earlier_names",
                "log::a_file_is_followed_whatever_the_clocks_say",
            ],
        ),
    },
    Feature {
        id: "K022",
        about: "what a line of the log says",
        outcome: Here(
            "title with its issues, author, time, id, branches and tags; by days",
            &[
                "pages::histories",
                "names::people_are_called_as_git_calls_them",
                "issue_links::messages_lead_to_issues_by_the_settings_of_a_repository_and_its_groups",
                "issue_links::the_links_of_the_whole_site_come_after_all_others",
            ],
        ),
    },
    Feature {
        id: "K023",
        about: "how many files a commit added, changed and removed",
        outcome: Differs("on the commit's own page", &["pages::single_commits"]),
    },
    Feature {
        id: "K024",
        about: "a range of commits chosen in the log",
        outcome: Here(
            "`/-/commits/<ref>?choose=1` leads to `/-/compare`; the choice goes along from page to page",
            &[
                "log::two_commits_can_be_chosen_to_be_compared",
                "comparisons::a_comparison_shows_commits_and_changes",
            ],
        ),
    },
    Feature {
        id: "K025",
        about: "a fork compared with its parent",
        outcome: Differs(
            "any two repositories that the viewer may read: `/-/compare/<ref>...<other path>:<ref>`",
            &[
                "comparisons::what_another_repository_has_is_compared",
                "permissions::nobody_compares_with_what_they_may_not_read",
            ],
        ),
    },
    Feature {
        id: "K026",
        about: "a commit: message, author, parents, files, changes",
        outcome: Here(
            "`/-/commit/<id>`; a merge against each parent, and with `?combined=1` against all at once",
            &[
                "pages::single_commits",
                "diffs::changed_files_are_those_of_git",
                "combined::what_merges_decided_is_what_git_says",
                "combined::a_merge_shows_how_a_conflict_was_resolved",
            ],
        ),
    },
    Feature {
        id: "K027",
        about: "a range of commits on one page",
        outcome: Here(
            "`/-/compare/<from>...<to>` lists them with what they changed together",
            &["comparisons::a_comparison_shows_commits_and_changes"],
        ),
    },
    Feature { id: "K028", about: "marks of Mercurial", outcome: Apart("repositories are Git's") },
    Feature {
        id: "K029",
        about: "what a commit changed as plain text",
        outcome: Here("`/-/commit/<id>.diff`", &["patches::patches_are_those_of_git"]),
    },
    Feature {
        id: "K030",
        about: "a commit as a patch with its message",
        outcome: Here("`/-/commit/<id>.patch`", &["patches::git_makes_the_same_commits_from_the_mails"]),
    },
    Feature {
        id: "K031",
        about: "what a commit changed as a download",
        outcome: Here("the same addresses", &["patches::patches_are_those_of_git"]),
    },
    Feature {
        id: "K032",
        about: "a commit in a few words for programs",
        outcome: Here("`/-/commit/<id>?format=json`", &["machines::every_page_is_there_as_json"]),
    },
    Feature {
        id: "K033",
        about: "parents and children of a commit",
        outcome: Here(
            "on the commit's page",
            &[
                "containing::what_contains_a_commit_is_what_git_says",
                "containing::so_many_children_branches_and_tags_are_named",
            ],
        ),
    },
    Feature {
        id: "K034",
        about: "changes without white space",
        outcome: Here("`?w=1`", &["views::white_space_can_be_left_out"]),
    },
    Feature {
        id: "K035",
        about: "more lines around changes",
        outcome: Here(
            "`?file=<number>&context=<lines>`, or `?context=<lines>` for all files",
            &[
                "views::one_file_of_several_has_more_lines_and_its_part_of_the_page_is_the_same_alone",
                "views::more_lines_can_be_shown_around_a_change",
            ],
        ),
    },
    Feature {
        id: "K036",
        about: "changes that are too large shown anyway",
        outcome: Here(
            "`?full=1`",
            &[
                "views::what_is_cut_can_be_shown_anyway",
                "hostile::large_changes_are_cut_with_a_notice",
                "hostile::of_many_files_the_changes_of_the_first_are_shown_and_the_others_lead_to_all",
            ],
        ),
    },
    Feature {
        id: "K037",
        about: "changes below one another, with marked words",
        outcome: Here(
            "commit and comparison, in the colours of their languages",
            &[
                "diffs::hunks_are_those_of_git",
                "diffs::renamed_and_copied_files_are_those_of_git",
                "views::sides_stand_below_or_beside_each_other_with_their_words_marked",
                "views::a_renamed_file_says_how_much_of_it_is_the_same_and_a_hunk_names_its_function",
                "views::each_side_has_the_colours_of_its_own_file",
                "views::colours_and_marks_of_words_stand_within_one_another",
            ],
        ),
    },
    Feature {
        id: "K038",
        about: "changes of submodules, binary files, modes and ends of lines",
        outcome: Here(
            "commit and comparison",
            &[
                "diffs::changed_files_are_those_of_git",
                "patches::patches_are_those_of_git",
                "views::images_are_shown_before_and_after",
            ],
        ),
    },
    Feature {
        id: "K039",
        about: "changes side by side",
        outcome: Here(
            "`?view=split`",
            &["views::sides_stand_below_or_beside_each_other_with_their_words_marked"],
        ),
    },
    Feature {
        id: "K040",
        about: "one file at two commits",
        outcome: Differs(
            "the comparison of the commits, folded to the file",
            &["comparisons::a_comparison_shows_commits_and_changes"],
        ),
    },
    Feature {
        id: "K041",
        about: "a page to choose what to compare",
        outcome: Here("`/-/compare`", &["comparisons::what_is_no_pair_is_not_found"]),
    },
    Feature {
        id: "K042",
        about: "branches, tags and commits compared, from where they parted or in all",
        outcome: Here(
            "`/-/compare/<from>...<to>` and `..`",
            &[
                "comparisons::a_comparison_shows_commits_and_changes",
                "comparisons::ahead_behind_and_merge_bases_are_those_of_git",
            ],
        ),
    },
    Feature {
        id: "K043",
        about: "histories that met several times",
        outcome: Here(
            "the same merge base as Git's; repositories of other object formats are refused in words",
            &[
                "comparisons::ahead_behind_and_merge_bases_are_those_of_git",
                "comparisons::repositories_of_different_formats_are_not_compared_and_say_so",
            ],
        ),
    },
    Feature {
        id: "K044",
        about: "directories, with sizes and the last commit of each entry",
        outcome: Here(
            "`/-/tree/<ref>/<path>`",
            &[
                "pages::directories",
                "last_commits::the_last_commits_are_those_of_git_log",
                "last_commits::a_directory_says_that_more_is_known_next_time",
                "hostile::what_is_too_long_for_an_address_is_shown_and_not_linked",
            ],
        ),
    },
    Feature {
        id: "K045",
        about: "the file at the commit before and after",
        outcome: Differs("by its history and its blame", &["pages::where_lines_come_from"]),
    },
    Feature {
        id: "K046",
        about: "files found by their names",
        outcome: Here(
            "`/-/find/<ref>`, key `t`",
            &[
                "pages::finding_files",
                "find::files_are_found_by_letters_in_their_order",
                "limits::files_are_looked_for_so_long",
            ],
        ),
    },
    Feature {
        id: "K047",
        about: "files with their lines highlighted, and addresses of lines",
        outcome: Here(
            "`/-/blob/<ref>/<path>#L3-L5`, with the commit that changed it last",
            &[
                "pages::files",
                "pages::large_files",
                "files::the_last_commit_of_a_file_is_that_of_git_log",
                "files::a_file_can_be_saved_and_its_text_and_path_copied",
                "files::a_symbolic_link_leads_to_what_it_points_to",
                "highlight::code_becomes_spans_of_the_known_classes",
                "attributes::a_file_is_shown_in_its_language_and_encoding",
            ],
        ),
    },
    Feature {
        id: "K048",
        about: "Markdown is shown as its source only",
        outcome: Differs("rendered, with its source a click away", &["pages::files"]),
    },
    Feature {
        id: "K049",
        about: "images shown in the page",
        outcome: Here(
            "on a file's page and in changes; of SVG its source too",
            &[
                "pages::files",
                "files::an_image_that_is_text_is_shown_as_either",
                "views::images_are_shown_before_and_after",
            ],
        ),
    },
    Feature {
        id: "K050",
        about: "who wrote each line",
        outcome: Here(
            "`/-/blame/<ref>/<path>`",
            &["blame::lines_come_from_where_git_says", "pages::where_lines_come_from"],
        ),
    },
    Feature {
        id: "K051",
        about: "the file's history as a list to choose from",
        outcome: Here("`/-/commits/<ref>/<path>`", &["histories::the_history_of_a_file_is_that_of_git_log"]),
    },
    Feature {
        id: "K052",
        about: "the authors of a file",
        outcome: Differs("by its blame and its history", &["blame::lines_come_from_where_git_says"]),
    },
    Feature {
        id: "K053",
        about: "the bytes of a file, so that a browser runs nothing of it",
        outcome: Here(
            "`/-/raw/<ref>/<path>`",
            &[
                "sending::a_raw_file_is_locked_in",
                "raw::nothing_is_sent_that_a_browser_would_run",
                "large_files::a_file_larger_than_memory_is_sent_as_it_is_read",
            ],
        ),
    },
    Feature {
        id: "K054",
        about: "a file as a download",
        outcome: Here(
            "`/-/raw/<ref>/<path>?download=1`",
            &[
                "raw::what_is_asked_for_as_a_download_is_saved_as_what_it_is",
                "archive::pages_lead_to_archives_and_downloads_of_what_they_show",
            ],
        ),
    },
    Feature {
        id: "K055",
        about: "archives",
        outcome: Here(
            "`/-/archive/<ref>.tar.gz`, `.tar.zst`, `.tar`, `.zip`",
            &[
                "archives::a_tar_file_is_the_one_of_git_archive_to_the_byte",
                "archives::a_zip_file_unpacks_to_the_same_files",
                "archives::files_are_converted_as_git_archive_does",
                "archive::a_download_can_be_gone_on_with",
                "large_files::a_file_larger_than_memory_is_sent_as_it_is_read",
            ],
        ),
    },
    Feature {
        id: "K056",
        about: "submodules lead to where they come from",
        outcome: Here("in directories", &["submodules::submodules_lead_only_where_a_link_may"]),
    },
    Feature {
        id: "K057",
        about: "a file edited in the browser",
        outcome: Here(
            "`/-/edit/<branch>/<file>`; encoding, line ends and mode stay",
            &[
                "edit::a_file_is_edited_and_nothing_else_changes",
                "edit::a_preview_changes_nothing",
                "edit::what_was_typed_for_a_branch_that_is_gone_goes_to_another",
            ],
        ),
    },
    Feature {
        id: "K058",
        about: "a file added in the browser",
        outcome: Here(
            "`/-/edit/<branch>/<directory>?new` and `?upload`, also in an empty repository",
            &[
                "edit::a_file_is_made_renamed_and_deleted",
                "edit::files_are_uploaded",
                "edit::an_upload_is_shown_before_it_is_committed",
                "edit::a_preview_says_which_files_are_refused_and_why",
                "edit::an_upload_goes_over_nothing_that_was_pushed_since_it_was_shown",
                "edit::what_was_uploaded_is_nobody_elses",
                "edit::an_empty_repository_gets_its_first_file",
                "edit::paths_that_cannot_be_are_refused",
            ],
        ),
    },
    Feature {
        id: "K059",
        about: "a file deleted in the browser",
        outcome: Here("`/-/edit/<branch>/<file>?delete`", &["edit::a_file_is_made_renamed_and_deleted"]),
    },
    Feature {
        id: "K060",
        about: "edits go through the rules of pushes",
        outcome: Here(
            "an edit is a push that the server makes to itself, in the editor's name",
            &["edit::the_push_policy_and_locks_hold_for_edits", "edit::only_who_may_push_may_edit"],
        ),
    },
    Feature {
        id: "K061",
        about: "edits of what has changed meanwhile are not noticed",
        outcome: Differs(
            "shown beside what was typed, and never overwritten",
            &["edit::what_others_pushed_meanwhile_is_never_overwritten"],
        ),
    },
    Feature {
        id: "K062",
        about: "statistics of commits and languages",
        outcome: Here(
            "`/-/stats/<ref>`: weeks, authors, hours of the week, languages over time; languages on the summary",
            &[
                "statistics::languages_over_time_are_those_of_the_commits_on_the_way",
                "statistics::as_many_commits_as_git_counts_with_a_commit_graph_and_without",
                "statistics::the_page_has_the_numbers_of_all_that_is_counted",
            ],
        ),
    },
    Feature {
        id: "K063",
        about: "statistics counted step by step",
        outcome: Here(
            "a part with each view, kept, and extended by what is pushed",
            &["statistics::what_was_pushed_is_added_and_what_was_rewritten_counted_anew"],
        ),
    },
    Feature {
        id: "K064",
        about: "feeds of commits",
        outcome: Here(
            "`/-/feed/<ref>.atom` and `.rss`; of a private repository with a token",
            &["feeds::feeds_tell_of_commits_and_tags", "feeds::a_private_feed_is_read_with_a_token"],
        ),
    },
    Feature {
        id: "K065",
        about: "repositories followed",
        outcome: Later("comes with review and notifications"),
    },
    Feature {
        id: "K066",
        about: "who follows a repository",
        outcome: Later("comes with review and notifications"),
    },
    Feature {
        id: "K067",
        about: "marks of what is private",
        outcome: Here("in lists and heads", &["pages::groups"]),
    },
    Feature {
        id: "K068",
        about: "a journal of what one follows",
        outcome: Later("administrators have the journal of the site"),
    },
    Feature {
        id: "K069",
        about: "a public journal",
        outcome: Here(
            "`/-/activity`: pushes to what the viewer may read, and new repositories",
            &["feeds::the_journal_tells_each_viewer_of_what_that_viewer_may_read"],
        ),
    },
    Feature {
        id: "K070",
        about: "feeds of the journal",
        outcome: Here(
            "`/-/activity.atom`, `.rss`, with a token of what its owner may read",
            &[
                "feeds::the_journal_tells_each_viewer_of_what_that_viewer_may_read",
                "listing::what_was_changed_last_is_a_feed",
            ],
        ),
    },
    Feature {
        id: "K071",
        about: "names of actions in the journal",
        outcome: Differs("the store's own, in `wit/`", &["auth::failed_sign_ins_are_in_the_journal"]),
    },
    Feature {
        id: "K072",
        about: "search in contents, paths and commits",
        outcome: Here(
            "`/<repository>/-/search`: contents, paths and commits",
            &["search::files_are_found_as_by_git_grep", "search::a_page_shows_what_was_found"],
        ),
    },
    Feature {
        id: "K073",
        about: "an index for the search",
        outcome: Here(
            "of three letters each, by the ids of files' contents",
            &[
                "contents::the_same_lines_are_found_as_by_git_grep",
                "contents::damage_leads_to_no_wrong_answer",
            ],
        ),
    },
    Feature {
        id: "K074",
        about: "an index that is made by a clock alone",
        outcome: Differs(
            "brought up to date after pushes, and by whoever searches",
            &["contents::pushes_are_followed", "contents::an_index_in_the_making_leaves_nothing_out"],
        ),
    },
    Feature {
        id: "K075",
        about: "results by permission",
        outcome: Differs(
            "what may not be read is neither shown nor counted",
            &["permissions::who_gets_what"],
        ),
    },
    Feature {
        id: "K076",
        about: "a search that cannot be understood says why",
        outcome: Here(
            "in words, above the form",
            &["pattern::what_cannot_be_searched_for_is_refused_in_words"],
        ),
    },
];

const HEAD: &str = "\
# What Kallithea shows about a repository, and Lithe

Each row is one thing that Kallithea does (K001 to K076 of the list of features that Lithe follows), where it is in
Lithe, and the tests that show it. Pages about a repository have their addresses below `/<repository>`.

`tests/features.rs` writes this page: `LITHE_UPDATE_GOLDEN=1 cargo xtask test features`.

| | Kallithea | Lithe | shown by |
|---|---|---|---|
";

/// The table of all rows.
fn table() -> String {
    let mut text = HEAD.to_owned();
    for Feature { id, about, outcome } in FEATURES {
        let (outcome, tests) = match outcome {
            Here(place, tests) => ((*place).to_owned(), *tests),
            Differs(how, tests) => (format!("**differs**: {how}"), *tests),
            Later(what) => (format!("**not yet**: {what}"), &[][..]),
            Apart(why) => (format!("not here: {why}"), &[][..]),
        };
        let tests: Vec<_> = tests.iter().map(|test| format!("`{test}`")).collect();
        let _ = writeln!(text, "| {id} | {about} | {outcome} | {} |", tests.join(", "));
    }
    text.push_str("\nWhere the tests are:\n\n");
    for (place, file) in PLACES {
        let _ = writeln!(text, "- `{place}`: {file}");
    }
    text
}

#[test]
fn every_row_is_there_once_and_in_order() {
    let ids: Vec<_> = FEATURES.iter().map(|feature| feature.id.to_owned()).collect();
    let expected: Vec<_> = (1..=76).map(|number| format!("K{number:03}")).collect();
    assert_eq!(ids, expected);
}

#[test]
fn what_is_here_is_shown_by_tests_that_exist() {
    let sources: BTreeMap<_, _> = PLACES
        .iter()
        .map(|(place, file)| (*place, fs::read_to_string(root().join(file)).expect("the tests are there")))
        .collect();
    for Feature { id, outcome, .. } in FEATURES {
        let (Here(_, tests) | Differs(_, tests)) = outcome else { continue };
        assert!(!tests.is_empty(), "{id}: nothing shows it");
        for test in *tests {
            let (place, name) = test.split_once("::").expect("a place and a name");
            let source = sources.get(place).unwrap_or_else(|| panic!("{id}: {place} is no place"));
            let is_test = |(at, _): (usize, &str)| source[..at].trim_end().ends_with("#[test]");
            let is_there = source.match_indices(&format!("fn {name}(")).any(is_test);
            assert!(is_there, "{id}: there is no test {test}");
        }
    }
}

#[test]
fn the_page_is_the_table() {
    let path = root().join("docs/features.md");
    if std::env::var_os("LITHE_UPDATE_GOLDEN").is_some() {
        fs::write(&path, table()).expect("docs/ is writable");
    }
    let page = fs::read_to_string(&path).unwrap_or_default();
    assert!(page == table(), "docs/features.md is not what the rows say; LITHE_UPDATE_GOLDEN=1 writes it");
}
