//! Reading settings from a set of variables, with every fault kept for the end.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;

use super::table::{Absent, PREFIX, Setting, TABLE};

/// The variables that settings are read from.
#[derive(Clone, Default)]
pub struct Variables(BTreeMap<String, Option<String>>);

impl Variables {
    /// Those of this process. The one place that reads them.
    pub fn of_process() -> Self {
        Self::from_os(std::env::vars_os())
    }

    fn from_os(pairs: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        // A name that is no text cannot be one of ours; a value that is no text is kept as such, for the fault.
        Self(pairs.into_iter().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()))).collect())
    }

    /// The value, without spaces around it; an empty one counts as none.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_deref().map(str::trim).filter(|value| !value.is_empty())
    }
}

impl<Name: Into<String>, Value: Into<String>> FromIterator<(Name, Value)> for Variables {
    fn from_iter<I: IntoIterator<Item = (Name, Value)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), Some(value.into()))).collect())
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be secrets, and so may be what others keep in the environment.
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// What is wrong with one setting. Never holds the value of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The variable.
    pub variable: String,
    /// What is wrong, as a sentence that goes on from the variable's name.
    pub problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.variable, self.problem)
    }
}

/// Everything that is wrong with the settings; at least one fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Each of them, in the order of the table.
    pub fn iter(&self) -> std::slice::Iter<'_, Fault> {
        self.0.iter()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings cannot be used:")?;
        self.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl std::error::Error for Faults {}

/// Reads settings one after the other and gathers what is wrong.
pub(super) struct Reader<'a> {
    variables: &'a Variables,
    faults: Vec<Fault>,
    read: BTreeSet<&'static str>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(variables: &'a Variables) -> Self {
        Self { variables, faults: Vec::new(), read: BTreeSet::new() }
    }

    pub(super) fn fault(&mut self, setting: &Setting, problem: impl Into<String>) {
        self.faults.push(Fault { variable: setting.name.to_owned(), problem: problem.into() });
    }

    /// Whether it is set at all.
    pub(super) fn is_set(&mut self, setting: &'static Setting) -> bool {
        self.read.insert(setting.name);
        self.variables.get(setting.name).is_some()
    }

    /// The value or its default. `None`: not set, or wrong; what is wrong is kept.
    pub(super) fn optional<T>(&mut self, setting: &'static Setting, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        self.read.insert(setting.name);
        if matches!(self.variables.0.get(setting.name), Some(None)) {
            self.fault(setting, "is not valid UTF-8 text");
            return None;
        }
        let default = match setting.absent {
            Absent::Default(value) => Some(value),
            Absent::NeededForSlack | Absent::NeededForOne | Absent::NeededForSignIn | Absent::Otherwise(_) => None,
        };
        match parse(self.variables.get(setting.name).or(default)?) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.fault(setting, problem);
                None
            }
        }
    }

    /// The value or its default; having neither is a fault.
    pub(super) fn needed<T>(&mut self, setting: &'static Setting, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let before = self.faults.len();
        let value = self.optional(setting, parse);
        if value.is_none() && self.faults.len() == before {
            self.fault(setting, format!("is not set. {}", setting.meaning));
        }
        value
    }

    /// Variables that look like ours and are not.
    pub(super) fn unknown_ones(&mut self) {
        let unknown = self.variables.0.keys().filter(|name| name.starts_with(PREFIX) && TABLE.iter().all(|known| known.name != *name));
        for name in unknown {
            let problem = match nearest(name) {
                Some(meant) => format!("is not a setting; did you mean {meant}?"),
                None => "is not a setting; `slash-heroku check-config` lists them".to_owned(),
            };
            self.faults.push(Fault { variable: name.clone(), problem });
        }
    }

    /// What is wrong, in the order of the table, unknown variables last; the settings if nothing is. Values that are
    /// missing without a fault cannot happen: what is needed leaves a fault.
    pub(super) fn finish<T>(mut self, settings: Option<T>) -> Result<T, Faults> {
        let place = |fault: &Fault| TABLE.iter().position(|setting| setting.name == fault.variable).unwrap_or(usize::MAX);
        self.faults.sort_by_key(place);
        match settings {
            Some(settings) if self.faults.is_empty() => Ok(settings),
            Some(_) | None => Err(Faults(self.faults)),
        }
    }

    /// The names of all settings that were looked at.
    #[cfg(test)]
    pub(super) fn read(&self) -> &BTreeSet<&'static str> {
        &self.read
    }
}

/// The name in the table that was probably meant.
fn nearest(name: &str) -> Option<&'static str> {
    let own = |text: &str| text.strip_prefix(PREFIX).unwrap_or(text).to_ascii_uppercase();
    let asked = own(name);
    let score = |known: &Setting| strsim::jaro_winkler(&asked, &own(known.name));
    let best = TABLE.iter().map(|known| (score(known), known.name)).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > 0.8).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered() {
        assert_eq!(nearest("SLASH_HEROKU_GITHUB_TOKN"), Some("SLASH_HEROKU_GITHUB_TOKEN"));
        assert_eq!(nearest("SLASH_HEROKU_LOGFORMAT"), Some("SLASH_HEROKU_LOG_FORMAT"));
        assert_eq!(nearest("SLASH_HEROKU_XYZZY"), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_no_text_is_a_fault_of_its_own() {
        use std::os::unix::ffi::OsStringExt;
        let variables = Variables::from_os([("SLASH_HEROKU_STORE".into(), OsString::from_vec(vec![0xff]))]);
        let mut reader = Reader::new(&variables);
        assert_eq!(reader.needed(&super::super::table::STORE, |text| Ok(text.to_owned())), None);
        assert_eq!(
            reader.finish::<()>(None).unwrap_err().to_string(),
            "the settings cannot be used:\n  SLASH_HEROKU_STORE is not valid UTF-8 text"
        );
    }
}
