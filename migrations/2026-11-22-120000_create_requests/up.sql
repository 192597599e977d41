CREATE TABLE request_numbers (
    company_id uuid PRIMARY KEY REFERENCES companies ON DELETE CASCADE,
    last integer NOT NULL
);
COMMENT ON TABLE request_numbers IS 'The number of the newest request of each company. Who makes a request locks this row first and keeps it until the commit: numbers have no gaps.';

CREATE TABLE requests (
    id uuid PRIMARY KEY,
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    number integer NOT NULL,
    title text NOT NULL,
    description text NOT NULL,
    vendor text NOT NULL,
    status text NOT NULL DEFAULT 'Submitted' CHECK (status IN
        ('Submitted', 'Feasibility Review', 'Resource Allocation', 'Engineering Review', 'In Progress', 'Completed',
         'Revision Requested', 'Accepted', 'Denied')),
    priority text NOT NULL CHECK (priority IN ('Low', 'Medium', 'High')),
    created_by uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    created_by_name text NOT NULL,
    assigned_to uuid REFERENCES users ON DELETE SET NULL,
    assigned_to_name text,
    estimated_hours integer CHECK (estimated_hours BETWEEN 1 AND 1000),
    comment_count integer NOT NULL DEFAULT 0,
    comment_bytes bigint NOT NULL DEFAULT 0,
    activity_count integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (company_id, number)
);
COMMENT ON TABLE requests IS 'What is asked for. Every change of one, its comments and its activity too, locks this row first and writes it: changes take turns, and updated_at is the revision of all that is shown.';
COMMENT ON COLUMN requests.number IS 'From 1 and without gaps within the company, in the order in which requests were made.';
COMMENT ON COLUMN requests.created_by_name IS 'What they were called when they made it, as in all names here.';
COMMENT ON COLUMN requests.comment_count IS 'The number of the newest comment.';
COMMENT ON COLUMN requests.comment_bytes IS 'What all comments weigh, so that a page knows what it will hold before it reads them.';
COMMENT ON COLUMN requests.activity_count IS 'The number of the newest activity.';
CREATE INDEX requests_changed ON requests (company_id, updated_at, id);
CREATE INDEX requests_status ON requests (company_id, status, number);
CREATE INDEX requests_priority ON requests (company_id, priority, number);
CREATE INDEX requests_vendor ON requests (company_id, vendor, number);
CREATE INDEX requests_creator ON requests (created_by, number);
CREATE INDEX requests_assignee ON requests (assigned_to, number);
CREATE TRIGGER requests_touch BEFORE INSERT OR UPDATE ON requests FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE request_searches (
    request_id uuid PRIMARY KEY REFERENCES requests ON DELETE CASCADE,
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    folded_text text NOT NULL,
    grams integer[] NOT NULL
);
COMMENT ON TABLE request_searches IS 'What requests are searched by. Apart from their rows, since these are written at every step and comment, and their texts never.';
COMMENT ON COLUMN request_searches.folded_text IS 'Title, vendor and description without case and compatibility forms.';
COMMENT ON COLUMN request_searches.grams IS 'Hashes of every run of one to three characters of folded_text, mixed with the company, as in prompts.grams.';
CREATE INDEX request_searches_company ON request_searches (company_id);
CREATE INDEX request_searches_grams ON request_searches USING gin (grams);

CREATE TABLE request_comments (
    id uuid PRIMARY KEY,
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    request_id uuid NOT NULL REFERENCES requests ON DELETE CASCADE,
    number integer NOT NULL,
    author_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    author_name text NOT NULL,
    author_role text NOT NULL CHECK (author_role IN ('requester', 'developer', 'lead', 'admin')),
    content text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (request_id, number)
);
COMMENT ON COLUMN request_comments.number IS 'From 1 within the request, in the order of the commits.';
COMMENT ON COLUMN request_comments.author_role IS 'What the author was when they wrote it.';
CREATE INDEX request_comments_company ON request_comments (company_id);
CREATE INDEX request_comments_author ON request_comments (author_id);

CREATE TABLE request_activity (
    id uuid PRIMARY KEY,
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    request_id uuid NOT NULL REFERENCES requests ON DELETE CASCADE,
    number integer NOT NULL,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    user_name text NOT NULL,
    action text NOT NULL CHECK (action IN ('created', 'status_changed', 'assigned', 'commented')),
    details jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (request_id, number)
);
COMMENT ON TABLE request_activity IS 'Everything that happened to requests, written in the transaction in which it happened.';
COMMENT ON COLUMN request_activity.number IS 'From 1 and without gaps within the request, in the order of the commits.';
COMMENT ON COLUMN request_activity.details IS 'By action: {title}; {from, status}; {from, status, engineerId, engineerName, estimatedHours}; {commentId}.';
CREATE INDEX request_activity_company ON request_activity (company_id);
CREATE INDEX request_activity_user ON request_activity (user_id);
