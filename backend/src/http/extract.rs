//! Extractors whose refusals are problems: who is signed in, and bodies, paths and queries with the field named.
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{HeaderMap, Method, header, request::Parts};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use slipway_core::code::Code;
use slipway_core::id::{DeviceId, UserId};

use crate::account::token;
use crate::error::Error;
use crate::http::body;
use crate::state::App;

/// The account behind a request.
#[derive(Clone, Copy, Debug)]
pub struct SignedIn {
    /// The account.
    pub user: UserId,
    /// The device whose token came along.
    pub device: DeviceId,
    /// Whether it may administer the server.
    pub administrator: bool,
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(*known);
        }
        let presented = token::presented(&parts.headers)
            .ok_or_else(|| Error::new(Code::SignInRequired, "Sign in first."))?;
        if presented.by_cookie && changes(parts) {
            check_origin(&parts.headers, app.config.public_url.as_deref())?;
        }
        let signed_in = token::find(app, presented.token).await?;
        parts.extensions.insert(signed_in);
        Ok(signed_in)
    }
}

/// An administrator's request.
#[derive(Clone, Copy, Debug)]
pub struct Administrator(pub SignedIn);

impl FromRequestParts<App> for Administrator {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let signed_in = SignedIn::from_request_parts(parts, app).await?;
        if signed_in.administrator {
            Ok(Self(signed_in))
        } else {
            Err(Error::new(
                Code::Forbidden,
                "Only an administrator may do this.",
            ))
        }
    }
}

/// Whether a request may change something, or opens a stream that can.
fn changes(parts: &Parts) -> bool {
    !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS)
        || parts.headers.contains_key(header::UPGRADE)
}

/// A request that a cookie vouches for must come from our own page.
///
/// # Errors
/// When its `Origin` is another one, or missing while the browser says that another site sent it.
pub fn check_origin(headers: &HeaderMap, public_url: Option<&str>) -> Result<(), Error> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &axum::http::HeaderValue| value.to_str().ok())
    };
    let foreign = || {
        Error::new(
            Code::ForeignOrigin,
            "The request came from a page of another site. Open Slipway at its own address.",
        )
    };
    let Some(origin) = text(header::ORIGIN) else {
        let same = text(header::HeaderName::from_static("sec-fetch-site"))
            .is_none_or(|site| site == "same-origin" || site == "none");
        return if same { Ok(()) } else { Err(foreign()) };
    };
    let host = text(header::HOST).unwrap_or_default();
    let own = origin
        .split_once("://")
        .is_some_and(|(_, rest)| rest == host);
    let public = public_url.is_some_and(|url| url.trim_end_matches('/') == origin);
    if own || public {
        Ok(())
    } else {
        Err(foreign())
    }
}

/// A JSON body or answer.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        use axum::extract::rejection::JsonRejection as Refused;
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(Refused::JsonDataError(error)) => Err(invalid("body", &error.body_text())),
            Err(Refused::JsonSyntaxError(error)) => Err(invalid("body", &error.body_text())),
            Err(Refused::MissingJsonContentType(_)) => Err(Error::new(
                Code::UnsupportedMediaType,
                "Send the body as application/json.",
            )),
            Err(Refused::BytesRejection(error))
                if error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE =>
            {
                Err(Error::new(
                    Code::BodyTooLarge,
                    "The body is larger than this address takes.",
                ))
            }
            Err(error) if body::is_stalled(&error) => Err(body::broken(&error)),
            Err(error) => Err(invalid("body", &error.body_text())),
        }
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// Parts of the address.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        use axum::extract::path::ErrorKind;
        use axum::extract::rejection::PathRejection;
        axum::extract::Path::<T>::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(value)| Self(value))
            .map_err(|error| match &error {
                PathRejection::FailedToDeserializePathParams(refused)
                    if matches!(refused.kind(), ErrorKind::InvalidUtf8InPathParam { .. }) =>
                {
                    Error::new(
                        Code::PathInvalid,
                        "The path is not UTF-8. Name it in UTF-8, with other bytes escaped.",
                    )
                }
                refused if refused.status().is_server_error() => {
                    Error::new(Code::Internal, refused.body_text())
                }
                // An id that is no id names nothing.
                _ => Error::not_found("thing"),
            })
    }
}

/// The query of the address.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        axum::extract::Query::<T>::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|error| invalid("query", &error.body_text()))
    }
}

fn invalid(place: &str, text: &str) -> Error {
    // "Failed to deserialize the JSON body into the target type: operations[0].path: invalid type: ..."
    let text = text.split_once("type: ").map_or(text, |(_, rest)| rest);
    let text = text
        .strip_prefix("query string: ")
        .or_else(|| text.strip_prefix("Failed to deserialize query string: "))
        .unwrap_or(text);
    let named = text
        .split_once(": ")
        .map(|(field, _)| field)
        .filter(|field| !field.contains(' ') && *field != "null");
    // serde names a missing or unknown field between backticks.
    let field = named.or_else(|| text.split('`').nth(1)).unwrap_or(place);
    // A path says what is wrong with it by a code of its own, in front of its sentence.
    let told = text
        .strip_prefix(field)
        .map_or(text, |rest| rest.trim_start_matches(": "));
    if let Some((code, sentence)) = told.split_once(": ")
        && let Some(code) = Code::parse(code)
    {
        let sentence = match sentence.rsplit_once(" at line ") {
            Some((sentence, place)) if place.contains(" column ") => sentence,
            _ => sentence,
        };
        return Error::of_field(field, code, sentence);
    }
    Error::new(
        Code::InvalidRequest,
        format!("The {place} is not understood: {text}."),
    )
    .with_field(field, Code::InvalidRequest, text)
}

#[cfg(test)]
mod tests {
    use super::invalid;
    use crate::error::Error;
    use slipway_core::code::Code;

    fn field(text: &str) -> String {
        let error: Error = invalid("body", text);
        error
            .fields()
            .first()
            .map(|field| field.field.clone())
            .unwrap()
    }

    #[test]
    fn a_path_keeps_its_code_wherever_it_stands() {
        let text = "Failed to deserialize the JSON body into the target type: to: path_reserved: The name \"a: b at line 1\" is taken. at line 1 column 30";
        let error = invalid("body", text);
        assert_eq!(error.code(), Code::PathReserved);
        assert_eq!(error.detail(), "The name \"a: b at line 1\" is taken.");
        assert_eq!(error.fields()[0].field, "to");
        let error = invalid(
            "query",
            "Failed to deserialize query string: path: path_invalid: The path is empty.",
        );
        assert_eq!(
            (error.code(), error.fields()[0].field.as_str()),
            (Code::PathInvalid, "path")
        );
    }

    #[test]
    fn a_refusal_names_the_field() {
        let json = "Failed to deserialize the JSON body into the target type: ";
        for (text, named) in [
            (
                "name: invalid type: integer `5`, expected a string at line 1 column 9",
                "name",
            ),
            ("missing field `name` at line 1 column 2", "name"),
            (
                "operations[0].path: path_invalid: The path is empty. at line 1 column 9",
                "operations[0].path",
            ),
            (
                "invalid type: null, expected struct Register at line 1",
                "body",
            ),
        ] {
            assert_eq!(field(&format!("{json}{text}")), named);
        }
        assert_eq!(
            field("Failed to deserialize query string: limit: invalid digit found in string"),
            "limit"
        );
        assert_eq!(
            field("Failed to parse the request body as JSON: expected value at line 1 column 1"),
            "body"
        );
    }
}
