//! What stands at a path: the rows of repositories and groups.

use crate::types::{Error, Group, Permission, Repository};
use lithe_access::{Address, PermanentId};
use rusqlite::{Connection, OptionalExtension as _, Params, Row, named_params};

const REPOSITORY_COLUMNS: &str = "repositories.id, repositories.group_id, repositories.owner_id, repositories.path, \
     repositories.directory, repositories.description, repositories.is_private, \
     (SELECT name FROM users WHERE users.id = repositories.owner_id), \
     repositories.created, repositories.updated, repositories.deleted";

const GROUP_COLUMNS: &str = "groups.id, groups.owner_id, groups.path, groups.description, \
     (SELECT name FROM users WHERE users.id = groups.owner_id), groups.created";

/// A repository, with its rows.
#[derive(Debug, Clone)]
pub struct RepositoryRow {
    pub id: i64,
    pub group_id: Option<i64>,
    pub owner_id: Option<i64>,
    pub wire: Repository,
}

/// A group, with its rows.
#[derive(Debug, Clone)]
pub struct GroupRow {
    pub id: i64,
    pub owner_id: Option<i64>,
    pub wire: Group,
}

#[derive(Debug, Clone)]
pub enum Place {
    Repository(RepositoryRow),
    Group(GroupRow),
}

/// Where something is given or set, by rows; exactly one is some.
#[derive(Debug, Clone, Copy)]
pub struct PlaceRow {
    pub repository_id: Option<i64>,
    pub group_id: Option<i64>,
}

impl PlaceRow {
    pub fn of(place: &Place) -> Self {
        match place {
            Place::Repository(row) => Self { repository_id: Some(row.id), group_id: None },
            Place::Group(row) => Self { repository_id: None, group_id: Some(row.id) },
        }
    }

    /// The number of the row, whichever it is.
    pub fn id(self) -> i64 {
        self.repository_id.or(self.group_id).expect("exactly one is some")
    }
}

/// What was found at an address.
#[derive(Debug, Clone)]
pub struct Found {
    pub place: Place,
    /// Whether the place's own path is another: it was found by its permanent id, by a former
    /// path, or in another case.
    pub is_moved: bool,
}

impl Place {
    pub fn path(&self) -> &str {
        match self {
            Self::Repository(repository) => &repository.wire.path,
            Self::Group(group) => &group.wire.path,
        }
    }

    /// The repository, where only one will do.
    ///
    /// Fails with `NotFound` if it is a group.
    pub fn repository(self) -> Result<RepositoryRow, Error> {
        match self {
            Self::Repository(row) => Ok(row),
            Self::Group(_) => Err(Error::NotFound),
        }
    }
}

/// What stands at an address; deleted repositories stand nowhere.
pub fn find(connection: &Connection, address: &Address) -> Result<Option<Found>, Error> {
    let path = match address {
        Address::Permanent(PermanentId(id)) => {
            let repository =
                repository(connection, id.cast_signed())?.filter(|row| row.wire.deleted.is_none());
            return Ok(repository.map(|row| Found { place: Place::Repository(row), is_moved: true }));
        }
        Address::Path(path) => path.as_str(),
    };
    let place = match at(connection, path)? {
        Some(Standing { repository_id: Some(id), .. }) => {
            repository(connection, id)?.filter(|row| row.wire.deleted.is_none()).map(Place::Repository)
        }
        Some(Standing { group_id: Some(id), .. }) => group(connection, id)?.map(Place::Group),
        // As much work as for what is there and must not be seen.
        _ => repository(connection, 0)?.map(Place::Repository),
    };
    Ok(place.map(|place| Found { is_moved: place.path() != path, place }))
}

/// The row of a path.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    pub repository_id: Option<i64>,
    pub group_id: Option<i64>,
    pub is_former: bool,
}

/// What is entered for a path, without regard to case.
pub fn at(connection: &Connection, path: &str) -> Result<Option<Standing>, Error> {
    Ok(connection
        .prepare_cached("SELECT repository_id, group_id, is_former FROM paths WHERE path = ?1")?
        .query_row([path], |row| {
            Ok(Standing { repository_id: row.get(0)?, group_id: row.get(1)?, is_former: row.get(2)? })
        })
        .optional()?)
}

/// The repository of that number, deleted or not.
pub fn repository(connection: &Connection, id: i64) -> Result<Option<RepositoryRow>, Error> {
    let sql = format!("SELECT {REPOSITORY_COLUMNS} FROM repositories WHERE id = ?1");
    Ok(connection.prepare_cached(&sql)?.query_row([id], read_repository).optional()?)
}

/// A page of all repositories, by path, deleted ones included.
pub fn all(connection: &Connection, offset: u32, limit: u32) -> Result<Vec<RepositoryRow>, Error> {
    repositories(
        connection,
        "ORDER BY path, id LIMIT :limit OFFSET :offset",
        named_params! { ":limit": limit, ":offset": offset },
    )
}

fn repositories(
    connection: &Connection,
    rule: &str,
    params: impl Params,
) -> Result<Vec<RepositoryRow>, Error> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {REPOSITORY_COLUMNS} FROM repositories {rule}"))?;
    let rows = statement.query_map(params, read_repository)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The group of that number.
pub fn group(connection: &Connection, id: i64) -> Result<Option<GroupRow>, Error> {
    let sql = format!("SELECT {GROUP_COLUMNS} FROM groups WHERE id = ?1");
    Ok(connection.prepare_cached(&sql)?.query_row([id], read_group).optional()?)
}

fn read_repository(row: &Row) -> rusqlite::Result<RepositoryRow> {
    let id: i64 = row.get(0)?;
    Ok(RepositoryRow {
        id,
        group_id: row.get(1)?,
        owner_id: row.get(2)?,
        wire: Repository {
            id: id.cast_unsigned(),
            path: row.get(3)?,
            directory: row.get(4)?,
            description: row.get(5)?,
            is_private: row.get(6)?,
            owner: row.get(7)?,
            created: row.get(8)?,
            updated: row.get(9)?,
            deleted: row.get(10)?,
        },
    })
}

fn read_group(row: &Row) -> rusqlite::Result<GroupRow> {
    let id: i64 = row.get(0)?;
    Ok(GroupRow {
        id,
        owner_id: row.get(1)?,
        wire: Group {
            id: id.cast_unsigned(),
            path: row.get(2)?,
            description: row.get(3)?,
            owner: row.get(4)?,
            created: row.get(5)?,
        },
    })
}

/// A permission as the database has it, 0 to 3.
pub fn number(permission: Permission) -> i64 {
    match permission {
        Permission::None => 0,
        Permission::Read => 1,
        Permission::Write => 2,
        Permission::Admin => 3,
    }
}

/// A permission of the database; the schema's checks allow no other numbers.
pub fn permission(number: i64) -> Permission {
    match number {
        3.. => Permission::Admin,
        2 => Permission::Write,
        1 => Permission::Read,
        _ => Permission::None,
    }
}

/// A permission as a word, for the journal.
pub fn word(permission: Permission) -> &'static str {
    match permission {
        Permission::None => "none",
        Permission::Read => "read",
        Permission::Write => "write",
        Permission::Admin => "admin",
    }
}
