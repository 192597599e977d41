//! A handler's only way to the database and to everything else: [`Context`], whose parameter is
//! the permission. It fails closed, and before any body is read.

use std::{future::Ready, marker::PhantomData};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, http::Method, web};
use domain::{
    audit::{Actor, Signature},
    auth::{Scope, Via, Viewer},
    users::Role,
};

use crate::{
    App,
    error::{ApiError, ApiResult, Code},
    telemetry,
};

/// What the gate found out about a request: who asks, or why that is not known.
#[derive(Debug, Clone)]
pub struct Identity(pub Result<Viewer, ApiError>);

/// From where a request comes.
#[derive(Debug, Clone)]
pub struct Client {
    /// The address, behind trusted proxies the one they name.
    pub ip: String,
    /// What is counted as one caller: the address, or the network an IPv6 household has.
    pub subject: String,
    /// The program, cut to 300 characters.
    pub user_agent: String,
}

/// A permission, and what is known of the caller under it.
pub trait Access: 'static {
    /// Who is asking.
    type Who: Clone + 'static;

    /// Lets the caller pass or says why not.
    fn admit(identity: &Identity, method: &Method) -> ApiResult<Self::Who>;

    /// Whether the handler may change rows, so that what it does has to be signed.
    fn writes(method: &Method) -> bool {
        !method.is_safe()
    }
}

/// Anyone, signed in or not.
pub struct Public;

impl Access for Public {
    type Who = Option<Viewer>;
    fn admit(identity: &Identity, _: &Method) -> ApiResult<Self::Who> {
        Ok(identity.0.clone().ok())
    }
}

macro_rules! levels {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        pub struct $name;

        impl Access for $name {
            type Who = Viewer;
            fn admit(identity: &Identity, method: &Method) -> ApiResult<Viewer> {
                let scope = if method.is_safe() { Scope::Read } else { Scope::Write };
                admit(identity, Role::$name, scope)
            }
        }
    )+};
}

levels! {
    /// Everyone who is signed in.
    Requester,
    /// Developers, leads and admins.
    Developer,
    /// Leads and admins.
    Lead,
    /// Admins.
    Admin,
}

/// A developer who only looks something up, whatever the method: good for keys that only read.
pub struct Reader;

impl Access for Reader {
    type Who = Viewer;
    fn admit(identity: &Identity, _: &Method) -> ApiResult<Viewer> {
        admit(identity, Role::Developer, Scope::Read)
    }
    fn writes(_: &Method) -> bool {
        false
    }
}

/// A developer who starts what costs money.
pub struct Runner;

impl Access for Runner {
    type Who = Viewer;
    fn admit(identity: &Identity, _: &Method) -> ApiResult<Viewer> {
        admit(identity, Role::Developer, Scope::Run)
    }
}

/// Everyone who signed in themselves: no API key reaches this far, or it could make itself a
/// better one.
pub struct Person;

impl Access for Person {
    type Who = Viewer;
    fn admit(identity: &Identity, _: &Method) -> ApiResult<Viewer> {
        let viewer = identity.0.clone()?;
        match viewer.via {
            Via::ApiKey(..) => Err(ApiError::new(
                Code::Forbidden,
                "An API key may not do this. Sign in and use the access token.",
            )),
            Via::Session(_) | Via::SingleUser => Ok(viewer),
        }
    }
}

fn admit(identity: &Identity, least: Role, scope: Scope) -> ApiResult<Viewer> {
    let viewer = identity.0.clone()?;
    if !viewer.has_scope(scope) {
        return Err(ApiError::new(
            Code::Forbidden,
            format!("This API key lacks the scope `{scope}`. Make a key that has it."),
        ));
    }
    if viewer.role < least {
        return Err(ApiError::new(
            Code::Forbidden,
            format!("This needs the role {least} or more. Ask an admin of your company."),
        ));
    }
    Ok(viewer)
}

/// What a handler works with.
pub struct Context<A: Access> {
    /// Who is asking.
    pub who: A::Who,
    /// From where.
    pub client: Client,
    app: web::Data<App>,
    prover: Option<Viewer>,
    writes: bool,
    access: PhantomData<A>,
}

impl<A: Access> Context<A> {
    /// A connection to Postgres. Where the method may change rows, all changes made through it are
    /// ascribed to whoever asks; a request that only reads is spared the round trip.
    pub async fn db(&self) -> ApiResult<db::pool::Signed> {
        if self.writes {
            self.signed().await
        } else {
            Ok(self.app.pool.get().await?.into())
        }
    }

    /// A connection whose changes are ascribed to whoever asks, whatever the method.
    pub async fn signed(&self) -> ApiResult<db::pool::Signed> {
        Ok(db::pool::signed(&self.app.pool, &self.signature()).await?)
    }

    /// Whom the audit log names for what this request does, for work that goes on without it.
    pub fn signature(&self) -> Signature {
        let Client { ip, user_agent, .. } = &self.client;
        Signature::new(
            self.prover.as_ref(),
            ip,
            user_agent,
            telemetry::request_id(),
        )
    }

    /// Everything else that outlives a request.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The same, for work that goes on without the request.
    pub fn shared(&self) -> web::Data<App> {
        self.app.clone()
    }
}

impl<A: Access<Who = Viewer>> Context<A> {
    /// Whom a change is ascribed to.
    pub fn actor(&self) -> Actor {
        Actor {
            company_id: self.who.company_id,
            user_id: Some(self.who.user_id),
            request_id: Some(telemetry::request_id()),
        }
    }
}

impl<A: Access> FromRequest for Context<A> {
    type Error = ApiError;
    type Future = Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(Self::of(request))
    }
}

impl<A: Access> Context<A> {
    fn of(request: &HttpRequest) -> ApiResult<Self> {
        let missing = || ApiError::internal(&"a route lies outside the gate");
        let extensions = request.extensions();
        let identity = extensions.get::<Identity>().ok_or_else(missing)?;
        Ok(Self {
            who: A::admit(identity, request.method())?,
            client: extensions.get::<Client>().ok_or_else(missing)?.clone(),
            app: request
                .app_data::<web::Data<App>>()
                .ok_or_else(missing)?
                .clone(),
            prover: identity.0.clone().ok(),
            writes: A::writes(request.method()),
            access: PhantomData,
        })
    }
}
