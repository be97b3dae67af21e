//! The functions of `operator.wit`, for whoever runs the server.

use crate::dependency::{CallError, Dependency, OfferError};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use thiserror::Error;
use wasmtime::component::Val;

/// The way to the interface `operator` of the component that exports it.
#[derive(Clone)]
pub struct Operator {
    dependency: Arc<Dependency>,
    interface: String,
}

/// A password to be changed at the first sign-in.
pub struct OneTimePassword {
    pub name: String,
    pub password: String,
}

/// Why the operator's functions give no answer.
#[derive(Debug, Error)]
pub enum OperatorError {
    #[error(transparent)]
    NotOffered(#[from] OfferError),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("`operator.{function}` failed: {error}")]
    Refused { function: &'static str, error: String },
    #[error("`operator.{0}` returned something else than its interface says")]
    Malformed(&'static str),
}

impl Operator {
    pub(crate) fn new(dependency: Arc<Dependency>, interface: String) -> Self {
        Self { dependency, interface }
    }

    /// Returns the bearer token that stands for the operator until the store stops.
    pub async fn token(&self) -> Result<String, OperatorError> {
        match self.call("token").await? {
            Val::String(token) => Ok(token),
            _ => Err(OperatorError::Malformed("token")),
        }
    }

    /// Returns the password of the first administrator, who is made if there is no user yet; none
    /// once it was used.
    pub async fn first_administrator(&self) -> Result<Option<OneTimePassword>, OperatorError> {
        const NAME: &str = "first-administrator";
        let malformed = || OperatorError::Malformed(NAME);
        let Val::Option(password) = self.call(NAME).await? else {
            return Err(malformed());
        };
        let fields = match password.map(|value| *value) {
            None => return Ok(None),
            Some(Val::Record(fields)) => fields,
            Some(_) => return Err(malformed()),
        };
        let field = |name: &str| {
            let value = fields.iter().find(|(field, _)| field == name);
            match value {
                Some((_, Val::String(text))) => Ok(text.clone()),
                _ => Err(malformed()),
            }
        };
        Ok(Some(OneTimePassword { name: field("name")?, password: field("password")? }))
    }

    /// Calls a function without parameters, whose result is a `result`.
    async fn call(&self, function: &'static str) -> Result<Val, OperatorError> {
        let id = self.dependency.function(&self.interface, function)?;
        let mut results = self.dependency.call(id, Vec::new(), &AtomicBool::new(false)).await?;
        match results.pop() {
            Some(Val::Result(Ok(Some(value)))) => Ok(*value),
            Some(Val::Result(Err(error))) => {
                let error = error.map(|value| describe(&value)).unwrap_or_default();
                Err(OperatorError::Refused { function, error })
            }
            _ => Err(OperatorError::Malformed(function)),
        }
    }
}

/// The store's `error` in words: the case, and what it says.
fn describe(error: &Val) -> String {
    match error {
        Val::Variant(case, Some(value)) => match &**value {
            Val::String(text) => format!("{case}: {text}"),
            _ => case.clone(),
        },
        Val::Variant(case, None) => case.clone(),
        _ => "an unknown error".to_owned(),
    }
}
