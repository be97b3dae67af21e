fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(8).build()?;
    runtime.block_on(async {
        let args: Vec<String> = std::env::args().collect();
        let listener = tokio::net::TcpListener::bind(&*args[3]).await?;
        let address = listener.local_addr()?;
        let server = lithe::serve::Server::open(lithe::serve::Config::new(&args[1], &args[2])).await?;
        println!("Lithe is at http://{address}/");
        server
            .run(listener, async {
                let _ = tokio::signal::ctrl_c().await;
            })
            .await?;
        Ok(())
    })
}
