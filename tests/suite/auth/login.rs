use tests::support::{
    App,
    app::{PASSWORD, login},
    make,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_right_password_signs_in() {
    let app = App::start().await;
    let admin = app.register().await;
    let reply = app
        .anonymous()
        .post("/api/auth/login", &login(admin.email(), PASSWORD))
        .await;
    assert_eq!(reply.expect(200).json()["user"]["id"], admin.id());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_an_unknown_address_get_the_same_answer() {
    let app = App::start().await;
    let admin = app.register().await;
    let wrong = app
        .anonymous()
        .post("/api/auth/login", &login(admin.email(), "not it"))
        .await;
    let unknown = app
        .anonymous()
        .post("/api/auth/login", &login(&make::email(), "not it"))
        .await;
    let mut wrong = wrong.expect_problem(401, "bad_credentials");
    let mut unknown = unknown.expect_problem(401, "bad_credentials");
    for problem in [&mut wrong, &mut unknown] {
        problem["requestId"].take();
    }
    assert_eq!(wrong, unknown);
}
