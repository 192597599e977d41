//! Finding prompts: which are listed and in which order, and the words they are described with.
//! Each filter has an index; what the indexes find too much of is compared again.

use chrono::{DateTime, Utc};
use diesel::{dsl, expression::SqlLiteral, pg::Pg, prelude::*, sql_types};
use diesel_async::RunQueryDsl;
use domain::{
    auth::Viewer,
    page::{Limit, Page},
    prompts::{LabelName, PromptId, PromptKind, PromptQuery, SflText, Vocabulary, grams},
    users::Visibility,
};
use serde_json::{Value, json};

use super::{
    Prompt,
    bounded::{self, Filling},
    visible_to,
};
use crate::{
    Connection,
    horizon::horizon,
    prepared::Prepare as _,
    schema::{prompt_labels, prompts, users},
};

diesel::define_sql_function! {
    /// Where the second text stands in the first, from 1; 0 if it does not.
    fn strpos(text: sql_types::Text, wanted: sql_types::Text) -> sql_types::Integer;
}

/// Which prompts are listed.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// With this in the topic, whatever the case.
    pub topic: Option<PromptQuery>,
    /// With this in title, text, keywords or topic, whatever the case.
    pub text: Option<PromptQuery>,
    /// Of this task type.
    pub task_type: Option<SflText>,
    /// With this persona.
    pub ai_persona: Option<SflText>,
    /// For this audience among others.
    pub target_audience: Option<SflText>,
    /// Of this output format.
    pub output_format: Option<SflText>,
    /// For this.
    pub kind: Option<PromptKind>,
    /// With this label on a version.
    pub label: Option<LabelName>,
    /// Seen by these.
    pub visibility: Option<Visibility>,
    /// The viewer's own only.
    pub own: bool,
    /// Changed at or after this moment; then the list is in the order of changes.
    pub updated_since: Option<DateTime<Utc>>,
    /// Changed before this one (or, in the order of changes, after it).
    pub after: Option<(DateTime<Utc>, PromptId)>,
}

type Query<'a> = dsl::IntoBoxed<
    'a,
    dsl::Select<prompts::table, (prompts::id, SqlLiteral<sql_types::BigInt>)>,
    Pg,
>;

/// Lists prompts: newest change first, or, when asked for changes, in the order of the changes, up
/// to the moment before which no commit can still appear. Ends early where prompts are large.
pub async fn list(
    conn: &mut Connection,
    viewer: &Viewer,
    filter: &Filter,
    limit: Limit,
) -> QueryResult<Page<Prompt, (DateTime<Utc>, PromptId)>> {
    // Finding and reading are of one moment.
    let horizon = match filter.updated_since {
        Some(_) => horizon(conn).await?,
        None => DateTime::<Utc>::MAX_UTC,
    };
    conn.build_transaction()
        .repeatable_read()
        .read_only()
        .run(async |conn| {
            let query = in_order(matching(viewer, filter), filter, horizon).limit(limit.rows() + 1);
            let found: Vec<(PromptId, i64)> = query.prepared().load(conn).await?;
            let mut page = Filling::of(found, limit);
            loop {
                let ids = page.part();
                if ids.is_empty() {
                    return Ok(page.page(|row: &Prompt| (row.updated_at, row.id)));
                }
                page.take(read(conn, ids, filter).await?);
            }
        })
        .await
}

/// These prompts, in the order of the list.
async fn read(
    conn: &mut Connection,
    ids: Vec<PromptId>,
    filter: &Filter,
) -> QueryResult<Vec<Prompt>> {
    let query = prompts::table
        .inner_join(users::table)
        .filter(prompts::id.eq_any(ids))
        .select(Prompt::as_select());
    let (changed, id) = (prompts::updated_at, prompts::id);
    if filter.updated_since.is_some() {
        query.order((changed, id)).load(conn).await
    } else {
        query.order((changed.desc(), id.desc())).load(conn).await
    }
}

/// The rows a filter lets through.
fn matching<'a>(viewer: &'a Viewer, filter: &'a Filter) -> Query<'a> {
    let mut query = prompts::table
        .select((prompts::id, bounded::weight_of_prompt()))
        .into_boxed();
    query = if filter.own {
        query
            .filter(prompts::company_id.eq(viewer.company_id))
            .filter(prompts::owner_id.eq(viewer.user_id))
    } else {
        query.filter(visible_to(viewer.company_id, viewer.user_id))
    };
    if let Some(kind) = filter.kind {
        query = query.filter(prompts::kind.eq(kind));
    }
    if let Some(visibility) = filter.visibility {
        query = query.filter(prompts::visibility.eq(visibility));
    }
    if let Some(label) = &filter.label {
        let labelled = prompt_labels::table
            .filter(prompt_labels::company_id.eq(viewer.company_id))
            .filter(prompt_labels::name.eq(label))
            .select(prompt_labels::prompt_id);
        query = query.filter(prompts::id.eq_any(labelled));
    }
    searched(described(query, filter), viewer, filter)
}

/// Those whose description has the values asked for.
fn described<'a>(mut query: Query<'a>, filter: &'a Filter) -> Query<'a> {
    let has = |member: &str, value: &Option<SflText>| -> Option<Value> {
        let value = value.as_ref()?.as_str();
        Some(json!({ member: value }))
    };
    if let Some(field) = has("taskType", &filter.task_type) {
        query = query.filter(prompts::sfl_field.contains(field));
    }
    if let Some(tenor) = has("aiPersona", &filter.ai_persona) {
        query = query.filter(prompts::sfl_tenor.contains(tenor));
    }
    if let Some(audience) = &filter.target_audience {
        let tenor = json!({ "targetAudience": [audience.as_str()] });
        query = query.filter(prompts::sfl_tenor.contains(tenor));
    }
    if let Some(mode) = has("outputFormat", &filter.output_format) {
        query = query.filter(prompts::sfl_mode.contains(mode));
    }
    query
}

/// Those that contain the texts looked for.
fn searched<'a>(mut query: Query<'a>, viewer: &'a Viewer, filter: &'a Filter) -> Query<'a> {
    if let Some(text) = &filter.text {
        let folded = grams::fold(text.as_str());
        query = query
            .filter(prompts::grams.contains(grams::of_query(viewer.company_id, &folded)))
            .filter(strpos(prompts::folded_text, folded).gt(0));
    }
    if let Some(topic) = &filter.topic {
        let folded = grams::fold(topic.as_str());
        query = query
            .filter(prompts::grams.contains(grams::of_query(viewer.company_id, &folded)))
            .filter(strpos(prompts::folded_topic, folded).gt(0));
    }
    query
}

fn in_order<'a>(query: Query<'a>, filter: &Filter, horizon: DateTime<Utc>) -> Query<'a> {
    let (changed, id) = (prompts::updated_at, prompts::id);
    if let Some(since) = filter.updated_since {
        let query = query
            .filter(changed.ge(since))
            .filter(changed.lt(horizon))
            .order((changed, id));
        return match filter.after {
            Some((at, last)) => query.filter(changed.gt(at).or(changed.eq(at).and(id.gt(last)))),
            None => query,
        };
    }
    let query = query.order((changed.desc(), id.desc()));
    match filter.after {
        // The first condition is the second one's shadow, for the index.
        Some((at, last)) => query
            .filter(changed.le(at))
            .filter(changed.lt(at).or(id.lt(last))),
        None => query,
    }
}

#[derive(QueryableByName)]
struct InUse {
    #[diesel(sql_type = sql_types::Text)]
    member: String,
    #[diesel(sql_type = sql_types::Text)]
    value: String,
}

/// The well-known values of the members, and those in use in prompts the viewer may see.
pub async fn vocabulary(conn: &mut Connection, viewer: &Viewer) -> QueryResult<Vocabulary> {
    let in_use: Vec<InUse> = diesel::sql_query(include_str!("vocabulary.sql"))
        .bind::<sql_types::Uuid, _>(viewer.company_id)
        .bind::<sql_types::Uuid, _>(viewer.user_id)
        .prepared()
        .load(conn)
        .await?;
    Ok(Vocabulary::with(
        in_use.into_iter().map(|row| (row.member, row.value)),
    ))
}
