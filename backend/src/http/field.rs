//! Values that people give, checked the same way wherever they stand: a refusal names the field.
use slipway_core::code::Code;

use crate::error::Error;

/// A name without the blanks around it.
///
/// # Errors
/// Empty, longer than `chars_max`, or with control characters.
pub fn name(text: &str, chars_max: usize) -> Result<String, Error> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > chars_max || name.chars().any(char::is_control) {
        let message = format!("Give a name of 1 to {chars_max} characters.");
        return Err(Error::of_field("name", Code::InvalidRequest, message));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_counted_in_characters() {
        assert_eq!(name("  Möwe ", 4).unwrap(), "Möwe");
        for wrong in ["", " \t ", "Möwen", "a\nb"] {
            let refused = name(wrong, 4).unwrap_err();
            assert_eq!(refused.fields()[0].field, "name", "{wrong:?}");
        }
    }
}
