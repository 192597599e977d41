//! The tables as diesel sees them. A test holds every column and type against a migrated database.

/// SQL types that diesel does not bring.
pub mod sql_types {
    /// pgvector's vector of half-precision numbers.
    #[derive(diesel::query_builder::QueryId, diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "halfvec"))]
    pub struct Halfvec;

    /// Words with their places.
    #[derive(diesel::query_builder::QueryId, diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "tsvector"))]
    pub struct Tsvector;
}

diesel::table! {
    companies (id) {
        id -> Uuid,
        name -> Text,
        created_at -> Timestamptz,
        has_workflows -> Bool,
    }
}

diesel::table! {
    users (id) {
        id -> Uuid,
        company_id -> Uuid,
        email -> Text,
        name -> Text,
        role -> Text,
        password_hash -> Nullable<Text>,
        is_active -> Bool,
        token_epoch -> Integer,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    invitations (id) {
        id -> Uuid,
        company_id -> Uuid,
        email -> Text,
        role -> Text,
        token_hash -> Bytea,
        invited_by -> Uuid,
        expires_at -> Timestamptz,
        accepted_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    api_keys (id) {
        id -> Uuid,
        company_id -> Uuid,
        user_id -> Uuid,
        name -> Text,
        key_hash -> Bytea,
        last_four -> Text,
        scopes -> Array<Text>,
        expires_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
        last_used_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    sign_in_events (id) {
        id -> BigInt,
        company_id -> Nullable<Uuid>,
        user_id -> Nullable<Uuid>,
        email -> Text,
        kind -> Text,
        ip -> Text,
        user_agent -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    idempotency_keys (user_id, key) {
        user_id -> Uuid,
        key -> Text,
        request_hash -> Bytea,
        status -> Nullable<SmallInt>,
        answer -> Nullable<Bytea>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    jobs (id) {
        id -> Uuid,
        kind -> Text,
        company_id -> Nullable<Uuid>,
        fair_key -> Uuid,
        subject_id -> Nullable<Uuid>,
        args -> Jsonb,
        state -> Text,
        attempts -> Integer,
        max_attempts -> Integer,
        snoozes -> Integer,
        run_at -> Timestamptz,
        wait_reason -> Nullable<Text>,
        dispatched_at -> Nullable<Timestamptz>,
        epoch -> Integer,
        lease_token -> Nullable<Uuid>,
        lease_until -> Nullable<Timestamptz>,
        worker -> Nullable<Text>,
        error_class -> Nullable<Text>,
        error_message -> Nullable<Text>,
        dedupe_key -> Nullable<Text>,
        request_id -> Nullable<Text>,
        created_at -> Timestamptz,
        started_at -> Nullable<Timestamptz>,
        finished_at -> Nullable<Timestamptz>,
        wait_key -> Nullable<Uuid>,
    }
}

diesel::table! {
    retention_rules (company_id, kept) {
        company_id -> Uuid,
        kept -> Text,
        days -> Integer,
    }
}

diesel::table! {
    retention_state (is_only) {
        is_only -> Bool,
        applied_on -> Date,
    }
}

diesel::table! {
    job_pauses (kind) {
        kind -> Text,
        paused_at -> Timestamptz,
        note -> Nullable<Text>,
    }
}

diesel::table! {
    company_job_pauses (company_id, kind) {
        company_id -> Uuid,
        kind -> Text,
        note -> Nullable<Text>,
        paused_by -> Nullable<Uuid>,
        paused_at -> Timestamptz,
    }
}

diesel::table! {
    workers (name) {
        name -> Text,
        host -> Text,
        version -> Text,
        kinds -> Jsonb,
        started_at -> Timestamptz,
        heard_at -> Timestamptz,
        draining_since -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    embedding_models (id) {
        id -> SmallInt,
        name -> Text,
        chosen_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    documents (id) {
        id -> Uuid,
        company_id -> Uuid,
        owner_id -> Uuid,
        visibility -> Text,
        file_name -> Text,
        content_type -> Text,
        size_bytes -> BigInt,
        sha256 -> Bytea,
        storage_key -> Text,
        status -> Text,
        error_code -> Nullable<Text>,
        error -> Nullable<Text>,
        live_generation -> Integer,
        live_model_id -> Nullable<SmallInt>,
        live_chunker_version -> Nullable<Integer>,
        live_chunks -> Integer,
        building_generation -> Integer,
        chunks_total -> Integer,
        chunks_embedded -> Integer,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    use diesel::sql_types::{Array, Bytea, Integer, Nullable, Text, Uuid};
    use super::sql_types::Tsvector;

    chunks (company_id, id) {
        company_id -> Uuid,
        id -> Uuid,
        document_id -> Uuid,
        generation -> Integer,
        chunk_index -> Integer,
        text -> Text,
        heading_path -> Array<Text>,
        page -> Nullable<Integer>,
        char_start -> Integer,
        char_end -> Integer,
        sha256 -> Bytea,
        terms -> Tsvector,
    }
}

diesel::table! {
    use diesel::sql_types::{Integer, SmallInt, Uuid};
    use super::sql_types::Halfvec;

    chunk_embeddings (company_id, chunk_id) {
        company_id -> Uuid,
        chunk_id -> Uuid,
        document_id -> Uuid,
        generation -> Integer,
        model_id -> SmallInt,
        embedding -> Halfvec,
    }
}

diesel::table! {
    models (id) {
        id -> Uuid,
        company_id -> Nullable<Uuid>,
        provider -> Text,
        model -> Text,
        name -> Text,
        aliases -> Array<Text>,
        label -> Text,
        kind -> Text,
        description -> Text,
        capabilities -> Jsonb,
        prices -> Jsonb,
        is_active -> Bool,
        is_default -> Bool,
        retires_on -> Nullable<Date>,
        replaced_by -> Nullable<Text>,
        source -> Nullable<Text>,
        checked_on -> Nullable<Date>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        provider_key_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    model_choices (company_id, model_id) {
        company_id -> Uuid,
        model_id -> Uuid,
        is_active -> Bool,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    model_defaults (company_id, kind) {
        company_id -> Uuid,
        kind -> Text,
        model_id -> Nullable<Uuid>,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    provider_keys (id) {
        id -> Uuid,
        company_id -> Uuid,
        provider -> Text,
        label -> Text,
        base_url -> Nullable<Text>,
        is_default -> Bool,
        sealed -> Bytea,
        sealing_key_id -> Text,
        last_four -> Text,
        created_by -> Nullable<Uuid>,
        created_at -> Timestamptz,
        paused_at -> Nullable<Timestamptz>,
        paused_by -> Nullable<Uuid>,
        pause_note -> Nullable<Text>,
    }
}

diesel::table! {
    prompts (id) {
        id -> Uuid,
        company_id -> Uuid,
        owner_id -> Uuid,
        visibility -> Text,
        kind -> Text,
        title -> Text,
        prompt_text -> Text,
        sfl_field -> Jsonb,
        sfl_tenor -> Jsonb,
        sfl_mode -> Jsonb,
        example_output -> Nullable<Text>,
        notes -> Nullable<Text>,
        source_document -> Nullable<Jsonb>,
        metadata -> Jsonb,
        lineage -> Integer,
        current_version -> Nullable<Integer>,
        labels -> Array<Text>,
        folded_topic -> Text,
        folded_text -> Text,
        grams -> Array<Integer>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        issue_id -> Nullable<Uuid>,
        request_id -> Nullable<Uuid>,
        template_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    prompt_versions (id) {
        id -> Uuid,
        company_id -> Uuid,
        prompt_id -> Uuid,
        lineage -> Integer,
        version -> Integer,
        label -> Text,
        body -> Jsonb,
        sha256 -> Bytea,
        tokens_estimate -> Integer,
        run_id -> Nullable<Uuid>,
        created_by -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    prompt_labels (prompt_id, name) {
        prompt_id -> Uuid,
        name -> Text,
        company_id -> Uuid,
        version_id -> Uuid,
        moved_by -> Uuid,
        moved_at -> Timestamptz,
    }
}

diesel::table! {
    prompt_label_moves (id) {
        id -> Uuid,
        company_id -> Uuid,
        prompt_id -> Uuid,
        name -> Text,
        version_id -> Nullable<Uuid>,
        moved_by -> Uuid,
        moved_at -> Timestamptz,
    }
}

diesel::table! {
    datasets (id) {
        id -> Uuid,
        company_id -> Uuid,
        owner_id -> Uuid,
        visibility -> Text,
        name -> Text,
        source -> Text,
        file_name -> Nullable<Text>,
        headers -> Array<Text>,
        version -> Integer,
        row_count -> Integer,
        next_row -> Integer,
        sha256 -> Bytea,
        archived_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    dataset_versions (dataset_id, version) {
        dataset_id -> Uuid,
        version -> Integer,
        row_count -> Integer,
        created_by -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    dataset_rows (dataset_id, row_index, since) {
        dataset_id -> Uuid,
        row_index -> Integer,
        since -> Integer,
        until -> Nullable<Integer>,
        cells -> Array<Nullable<Text>>,
    }
}

diesel::table! {
    runs (id) {
        id -> Uuid,
        company_id -> Uuid,
        owner_id -> Uuid,
        visibility -> Text,
        status -> Text,
        prompt_id -> Nullable<Uuid>,
        prompt_version_id -> Nullable<Uuid>,
        prompt_title -> Text,
        version_label -> Text,
        grader_prompt_id -> Nullable<Uuid>,
        grader_version_id -> Nullable<Uuid>,
        grader_model_id -> Nullable<Uuid>,
        dataset_id -> Nullable<Uuid>,
        dataset_version -> Nullable<Integer>,
        plan -> Jsonb,
        row_count -> Integer,
        repeats -> SmallInt,
        concurrency -> SmallInt,
        budget -> Nullable<Numeric>,
        spent -> Numeric,
        reserved -> Numeric,
        unresolved -> Numeric,
        cell_count -> Integer,
        open_cells -> Integer,
        last_event -> BigInt,
        created_at -> Timestamptz,
        finished_at -> Nullable<Timestamptz>,
        updated_at -> Timestamptz,
        workflow_id -> Nullable<Uuid>,
        workflow_version_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    run_columns (run_id, column_index) {
        run_id -> Uuid,
        column_index -> SmallInt,
        model_id -> Nullable<Uuid>,
        model_name -> Text,
        queued -> Integer,
        running -> Integer,
        completed -> Integer,
        malformed -> Integer,
        failed -> Integer,
        cancelled -> Integer,
        cached -> Integer,
        graded -> Integer,
        grade_sum -> BigInt,
        passed -> Integer,
        malformed_ungraded -> Integer,
        tokens_in -> BigInt,
        tokens_out -> BigInt,
        tokens_thinking -> BigInt,
        cost -> Numeric,
        grader_cost -> Numeric,
        not_before -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    run_latencies (run_id, column_index, bucket) {
        run_id -> Uuid,
        column_index -> SmallInt,
        bucket -> SmallInt,
        cell_count -> Integer,
    }
}

diesel::table! {
    cells (id) {
        id -> Uuid,
        run_id -> Uuid,
        column_index -> SmallInt,
        row_index -> Integer,
        repeat -> SmallInt,
        status -> Text,
        stage -> Text,
        round -> SmallInt,
        tries -> SmallInt,
        not_before -> Nullable<Timestamptz>,
        lane -> Nullable<Uuid>,
        claims -> Integer,
        output_raw -> Nullable<Text>,
        output_parsed -> Nullable<Text>,
        grader_output -> Nullable<Text>,
        grade -> Nullable<Integer>,
        grade_source -> Nullable<Text>,
        manual_grade -> Text,
        checks -> Nullable<Jsonb>,
        tokens_in -> BigInt,
        tokens_out -> BigInt,
        tokens_thinking -> BigInt,
        cost -> Numeric,
        grader_cost -> Numeric,
        latency_ms -> Nullable<Integer>,
        latency_bucket -> Nullable<SmallInt>,
        cached -> Bool,
        attempt_count -> Integer,
        error_code -> Nullable<Text>,
        error_message -> Nullable<Text>,
        model_version -> Nullable<Text>,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    attempts (id) {
        id -> Uuid,
        run_id -> Uuid,
        cell_id -> Uuid,
        round -> SmallInt,
        stage -> Text,
        lane -> Uuid,
        state -> Text,
        reserved -> Numeric,
        cost -> Nullable<Numeric>,
        priced -> Nullable<Bool>,
        tokens_in -> Nullable<Integer>,
        tokens_out -> Nullable<Integer>,
        tokens_thinking -> Nullable<Integer>,
        latency_ms -> Nullable<Integer>,
        error_code -> Nullable<Text>,
        error_message -> Nullable<Text>,
        model_version -> Nullable<Text>,
        response_id -> Nullable<Text>,
        output -> Nullable<Text>,
        started_at -> Timestamptz,
        finished_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    grades (id) {
        id -> Uuid,
        cell_id -> Uuid,
        round -> SmallInt,
        source -> Text,
        grade -> Nullable<Integer>,
        detail -> Nullable<Jsonb>,
        author_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    run_events (run_id, number) {
        run_id -> Uuid,
        number -> BigInt,
        cell_id -> Nullable<Uuid>,
        kind -> Text,
        data -> Nullable<Jsonb>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    responses (company_id, key) {
        company_id -> Uuid,
        key -> Bytea,
        lane -> Nullable<Uuid>,
        token -> Nullable<Uuid>,
        reply -> Nullable<Jsonb>,
        latency_ms -> Nullable<Integer>,
        cost -> Nullable<Numeric>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    workflows (id) {
        id -> Uuid,
        company_id -> Uuid,
        owner_id -> Uuid,
        visibility -> Text,
        name -> Text,
        description -> Text,
        tasks -> Jsonb,
        graph_data -> Nullable<Jsonb>,
        is_default -> Bool,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    workflow_versions (id) {
        id -> Uuid,
        company_id -> Uuid,
        workflow_id -> Nullable<Uuid>,
        sha256 -> Bytea,
        pinned -> Jsonb,
        created_by -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    executions (id) {
        id -> Uuid,
        company_id -> Uuid,
        owner_id -> Uuid,
        workflow_id -> Nullable<Uuid>,
        version_id -> Uuid,
        name -> Text,
        status -> Text,
        input -> Jsonb,
        error_code -> Nullable<Text>,
        error_message -> Nullable<Text>,
        last_event -> BigInt,
        created_at -> Timestamptz,
        started_at -> Nullable<Timestamptz>,
        finished_at -> Nullable<Timestamptz>,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    execution_tasks (execution_id, place) {
        execution_id -> Uuid,
        place -> SmallInt,
        task_id -> Text,
        status -> Text,
        result -> Nullable<Jsonb>,
        error_code -> Nullable<Text>,
        error_message -> Nullable<Text>,
        notice -> Nullable<Text>,
        attempts -> Integer,
        tokens_in -> BigInt,
        tokens_out -> BigInt,
        tokens_thinking -> BigInt,
        cost -> Numeric,
        priced -> Bool,
        model_version -> Nullable<Text>,
        started_at -> Nullable<Timestamptz>,
        finished_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    execution_events (execution_id, number) {
        execution_id -> Uuid,
        number -> BigInt,
        kind -> Text,
        task_id -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    prompt_templates (id) {
        id -> Uuid,
        company_id -> Uuid,
        creator_id -> Uuid,
        name -> Text,
        body_md -> Text,
        lint -> Jsonb,
        version -> Integer,
        version_id -> Uuid,
        deleted_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    prompt_template_versions (id) {
        id -> Uuid,
        company_id -> Uuid,
        template_id -> Uuid,
        version -> Integer,
        body_md -> Text,
        lint -> Jsonb,
        created_by -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    generation_events (id) {
        id -> Uuid,
        company_id -> Uuid,
        user_id -> Uuid,
        prompt_id -> Nullable<Uuid>,
        prompt_version_id -> Nullable<Uuid>,
        template_id -> Uuid,
        template_version_id -> Uuid,
        is_overridden -> Bool,
        issue_id -> Nullable<Uuid>,
        request_id -> Nullable<Uuid>,
        tracker_id -> Nullable<Uuid>,
        tokens -> Integer,
        at -> Timestamptz,
    }
}

diesel::table! {
    generation_sums (company_id, dimension, grain, start, key) {
        company_id -> Uuid,
        dimension -> Text,
        grain -> Text,
        start -> Timestamptz,
        key -> Uuid,
        prompts -> BigInt,
        tokens -> BigInt,
    }
}

diesel::table! {
    generation_folds (is_only) {
        is_only -> Bool,
        folded_until -> Timestamptz,
    }
}

diesel::table! {
    trackers (id) {
        id -> Uuid,
        company_id -> Uuid,
        created_by -> Nullable<Uuid>,
        name -> Text,
        kind -> Text,
        base_url -> Text,
        auth_kind -> Text,
        projects -> Array<Text>,
        state -> Text,
        version -> Integer,
        account_name -> Nullable<Text>,
        account_email -> Nullable<Text>,
        product -> Nullable<Text>,
        time_zone -> Nullable<Text>,
        criteria_field -> Nullable<Text>,
        checked_at -> Nullable<Timestamptz>,
        cursor -> Jsonb,
        next_sync_at -> Timestamptz,
        next_sweep_at -> Timestamptz,
        failures -> Integer,
        last_sync_at -> Nullable<Timestamptz>,
        last_success_at -> Nullable<Timestamptz>,
        error_code -> Nullable<Text>,
        error_message -> Nullable<Text>,
        renewing_by -> Nullable<Uuid>,
        renewing_until -> Nullable<Timestamptz>,
        deleted_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    tracker_secrets (tracker_id, purpose) {
        tracker_id -> Uuid,
        purpose -> Text,
        company_id -> Uuid,
        sealed -> Bytea,
        sealing_key_id -> Text,
    }
}

diesel::table! {
    tracker_grants (id) {
        id -> Uuid,
        company_id -> Uuid,
        user_id -> Uuid,
        state_hash -> Nullable<Bytea>,
        browser_hash -> Bytea,
        sealed -> Bytea,
        sealing_key_id -> Text,
        expires_at -> Timestamptz,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    tracker_syncs (id) {
        id -> Uuid,
        company_id -> Uuid,
        tracker_id -> Uuid,
        kind -> Text,
        state -> Text,
        fetched -> Integer,
        stored -> Integer,
        unchanged -> Integer,
        unreadable -> Integer,
        gone -> Integer,
        requests -> Integer,
        broken -> Jsonb,
        wait_reason -> Nullable<Text>,
        run_at -> Nullable<Timestamptz>,
        error_code -> Nullable<Text>,
        error_message -> Nullable<Text>,
        created_at -> Timestamptz,
        started_at -> Nullable<Timestamptz>,
        finished_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    issues (id) {
        id -> Uuid,
        company_id -> Uuid,
        tracker_id -> Uuid,
        external_id -> Text,
        ext_key -> Text,
        key_lost -> Bool,
        url -> Text,
        title -> Text,
        description -> Text,
        status -> Text,
        status_name -> Text,
        priority -> Nullable<Text>,
        priority_name -> Nullable<Text>,
        labels -> Array<Text>,
        acceptance_criteria -> Nullable<Text>,
        assignee_id -> Nullable<Text>,
        assignee_name -> Nullable<Text>,
        assignee_email -> Nullable<Text>,
        reporter_id -> Nullable<Text>,
        reporter_name -> Nullable<Text>,
        reporter_email -> Nullable<Text>,
        tracker_created_at -> Nullable<Timestamptz>,
        tracker_updated_at -> Timestamptz,
        payload -> Jsonb,
        gone_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        asked_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    tracker_deliveries (tracker_id, delivery) {
        tracker_id -> Uuid,
        delivery -> Text,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    request_numbers (company_id) {
        company_id -> Uuid,
        last -> Integer,
    }
}

diesel::table! {
    requests (id) {
        id -> Uuid,
        company_id -> Uuid,
        number -> Integer,
        title -> Text,
        description -> Text,
        vendor -> Text,
        status -> Text,
        priority -> Text,
        created_by -> Uuid,
        created_by_name -> Text,
        assigned_to -> Nullable<Uuid>,
        assigned_to_name -> Nullable<Text>,
        estimated_hours -> Nullable<Integer>,
        comment_count -> Integer,
        comment_bytes -> BigInt,
        activity_count -> Integer,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    request_searches (request_id) {
        request_id -> Uuid,
        company_id -> Uuid,
        folded_text -> Text,
        grams -> Array<Integer>,
    }
}

diesel::table! {
    request_comments (id) {
        id -> Uuid,
        company_id -> Uuid,
        request_id -> Uuid,
        number -> Integer,
        author_id -> Uuid,
        author_name -> Text,
        author_role -> Text,
        content -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    request_activity (id) {
        id -> Uuid,
        company_id -> Uuid,
        request_id -> Uuid,
        number -> Integer,
        user_id -> Uuid,
        user_name -> Text,
        action -> Text,
        details -> Jsonb,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    outputs (id) {
        id -> Uuid,
        company_id -> Uuid,
        prompt_id -> Uuid,
        prompt_version_id -> Uuid,
        creator_id -> Uuid,
        file_name -> Text,
        content_type -> Text,
        size_bytes -> BigInt,
        sha256 -> Bytea,
        storage_key -> Text,
        scanner -> Nullable<Text>,
        scanned_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    audit_heads (company_id) {
        company_id -> Uuid,
        number -> BigInt,
        hash -> Bytea,
        cut_number -> BigInt,
        cut_hash -> Bytea,
    }
}

diesel::table! {
    audit_entries (company_id, number) {
        company_id -> Uuid,
        number -> BigInt,
        at -> Timestamptz,
        actor_kind -> Text,
        actor_id -> Nullable<Uuid>,
        actor_name -> Text,
        api_key_id -> Nullable<Uuid>,
        ip -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        request_id -> Nullable<Text>,
        action -> Text,
        entity -> Text,
        entity_id -> Text,
        before -> Nullable<Jsonb>,
        after -> Nullable<Jsonb>,
        previous -> Bytea,
        hash -> Bytea,
    }
}

diesel::joinable!(prompt_templates -> users (creator_id));
diesel::joinable!(prompt_template_versions -> prompt_templates (template_id));
diesel::joinable!(users -> companies (company_id));
diesel::joinable!(prompts -> users (owner_id));
diesel::joinable!(workflows -> users (owner_id));
diesel::joinable!(executions -> users (owner_id));
diesel::joinable!(executions -> workflow_versions (version_id));
diesel::joinable!(prompt_versions -> prompts (prompt_id));
diesel::joinable!(runs -> users (owner_id));
diesel::joinable!(datasets -> users (owner_id));
diesel::joinable!(issues -> trackers (tracker_id));
diesel::joinable!(tracker_secrets -> trackers (tracker_id));
diesel::joinable!(outputs -> prompts (prompt_id));
diesel::joinable!(outputs -> users (creator_id));

diesel::allow_tables_to_appear_in_same_query!(
    companies,
    users,
    invitations,
    api_keys,
    sign_in_events,
    jobs,
    retention_rules,
    retention_state,
    job_pauses,
    company_job_pauses,
    workers,
    documents,
    embedding_models,
    chunks,
    chunk_embeddings,
    models,
    model_choices,
    model_defaults,
    provider_keys,
    prompts,
    prompt_versions,
    prompt_labels,
    prompt_label_moves,
    datasets,
    dataset_versions,
    dataset_rows,
    runs,
    run_columns,
    run_latencies,
    cells,
    attempts,
    grades,
    run_events,
    responses,
    workflows,
    workflow_versions,
    executions,
    execution_tasks,
    execution_events,
    prompt_templates,
    prompt_template_versions,
    generation_events,
    generation_sums,
    generation_folds,
    trackers,
    tracker_secrets,
    tracker_grants,
    tracker_syncs,
    issues,
    tracker_deliveries,
    request_numbers,
    requests,
    request_searches,
    request_comments,
    request_activity,
    outputs,
    audit_heads,
    audit_entries,
);
