//! Values that people give, checked the same way wherever they stand: a refusal names the field.
use slipway_core::code::Code;

use crate::error::Error;

/// A name without the blanks around it.
///
/// # Errors
/// Empty, longer than `chars_max`, or with characters that nobody sees.
pub fn name(text: &str, chars_max: usize) -> Result<String, Error> {
    let name = text.trim();
    let refused = |message: String| Err(Error::of_field("name", Code::InvalidRequest, message));
    if name.is_empty() || name.chars().count() > chars_max {
        return refused(format!("Give a name of 1 to {chars_max} characters."));
    }
    if let Some(hidden) = name.chars().find(|c| is_hidden(*c)) {
        let code = u32::from(hidden);
        return refused(format!(
            "The name holds a character that cannot be seen (U+{code:04X}). Leave it out."
        ));
    }
    Ok(name.to_owned())
}

/// Control characters, and marks that change the order of what is read: with them a name could look like another one.
/// Joiners are left, which scripts and emoji need.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_counted_in_characters() {
        assert_eq!(name("  Möwe ", 4).unwrap(), "Möwe");
        for wrong in ["", " \t ", "Möwen", "a\nb", "a\u{202e}b"] {
            let refused = name(wrong, 4).unwrap_err();
            assert_eq!(refused.fields()[0].field, "name", "{wrong:?}");
        }
    }

    #[test]
    fn letters_that_need_a_joiner_are_names() {
        for name_given in ["👩\u{200d}🚀 Tides", "می\u{200c}خواهم"] {
            assert_eq!(name(name_given, 80).unwrap(), name_given);
        }
    }
}
