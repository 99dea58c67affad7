/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.OnCluster;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import dev.sglangray.app.dashboard.Browser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;

/** What happens to a real fleet is seen in a browser, by the way that a person has: a tunnel to the owner's loopback. */
@OnCluster
@Tag("ray")
class DashboardIT {
    private static final int PORT = 29333;
    private static final Duration SOON = Duration.ofSeconds(2);

    private static final String TRAINER = """
            import sys, ray, sglang_ray
            from sglang_ray import errors
            ray.init(address=sys.argv[1], log_to_driver=False, logging_level="error")
            fleet = sglang_ray.attach()
            assert fleet.dashboard_url == "http://127.0.0.1:%d", fleet.dashboard_url
            fleet.update_weights(sys.argv[2], "step-1").wait()
            fleet.report(1, {"reward": 0.25}).wait()
            try:
                fleet.report(2, {"reward": float("nan")})
            except errors.FleetRequestError as refused:
                print(refused)
            """.formatted(PORT);

    @Test
    void launchKillScaleAndUpdateAreSeenWithinTwoSeconds(TestCluster cluster) throws IOException {
        Path model = StandIn.model(cluster, "{}");
        Cli cli = new Cli(cluster);
        try (Browser browser = Browser.open();
                Tunnel tunnel = new Tunnel(cluster, PORT);
                InsideProcess up = cli.upWithProgress(
                        model,
                        "cluster.component_placement.rollout=0",
                        "router_server_args.tensor_parallel_size=1",
                        "+router_server_args.dashboard.port=" + PORT)) {
            Awaitility.await("the page's address")
                    .atMost(Cli.DEADLINE)
                    .pollInterval(Duration.ofMillis(20))
                    .until(() -> up.stderr().contains("the fleet's page: http://127.0.0.1:" + PORT));
            browser.show(tunnel.url());
            browser.await("#word", "Launching", SOON);
            browser.await("#phase-rows", "under way");
            browser.await("#nodes", "starting");
            seenSoon(browser, "started");
            browser.await("#word", "Healthy", Cli.DEADLINE);
            browser.await("#serving", "1 of 1");
            browser.one("#configuration-more summary").click();
            browser.await("#configuration-rows", "fleet.yaml:");
            browser.await("#configuration-rows", "<override");

            // Else it is back before anybody could see it.
            Files.writeString(model.resolve("slow-once"), "4");
            cluster.kill(FaultScene.engines(cluster, cluster.head()).get(0));
            seenSoon(browser, "exited");
            browser.await("#word", "Healing", SOON);
            seenSoon(browser, "recovered");
            browser.await("#word", "Healthy");

            cli.run("scale", "--by", "1").orFail();
            browser.await("#serving", "2 of 2", SOON);
            assertThat(browser.all(".tile")).hasSize(2);

            try (InsideProcess trainer = cluster.spawn(
                    cluster.head(),
                    List.of(
                            cluster.python().python().toString(),
                            "-c",
                            TRAINER,
                            cluster.address(),
                            StandIn.model(cluster, "{}").toString()),
                    Map.of(
                            "PYTHONPATH",
                            PythonEnvironment.repository()
                                    .resolve("python-bridge/src/main/python")
                                    .toString()))) {
                assertThat(trainer.await(Cli.DEADLINE).orFail().stdout()).contains("'reward' of step 2 is nan");
            }
            browser.await("#update-rows", "step-1", SOON);
            browser.await("#update-rows", "0–1");
            browser.await("#training-note", "step-1 (2)");
            browser.await("#charts", "0.25");
            Files.write(cluster.logs().resolve("dashboard.png"), browser.screenshot());
            assertThat(browser.problems()).isEmpty();

            assertThat(cli.run("dashboard").orFail().stdout()).isEqualTo("http://127.0.0.1:" + PORT + "\n");
            up.signalGroup("INT");
            assertThat(up.await(Cli.DEADLINE).code()).as(up.stderr()).isEqualTo(130);
            browser.await("#pulse", "not live");
        }
        cluster.assertNothingLeft();
    }

    /** The owner is an actor on the head; its page is on the head's loopback, and asks for the fleet's key. */
    @Test
    void theOwnerOfADetachedFleetServesItWithTheFleetsKey(TestCluster cluster) throws IOException {
        Cli cli = new Cli(cluster);
        String url = "http://127.0.0.1:" + (PORT + 1);
        cli.run(Cli.upWords(Cli.config("fleet.yaml"), StandIn.model(cluster, "{}"), new String[] {
                    "--detach",
                    "cluster.component_placement.rollout=0",
                    "router_server_args.tensor_parallel_size=1",
                    "+router_server_args.server.api_key=sesame",
                    "+router_server_args.router.api_key=sesame",
                    "+router_server_args.dashboard.port=" + (PORT + 1)
                }))
                .orFail();
        try (Cli.Ending end = cli.downAtEnd();
                Tunnel tunnel = new Tunnel(cluster, PORT + 1);
                Browser browser = Browser.open()) {
            assertThat(cli.run("status").orFail().stdout()).contains("dashboard  " + url);
            assertThat(cluster.get(url + "/stream").path("status").asText()).isEqualTo("401");
            browser.show(tunnel.url());
            browser.await("#key", "This fleet has a key");
            browser.focused().sendKeys("sesame", Keys.ENTER);
            browser.await("#word", "Healthy");
            browser.one("#configuration-more summary").click();
            browser.await("#configuration-rows", "fleet.yaml:");
            assertThat(browser.text("#configuration-rows")).contains("<hidden>").doesNotContain("sesame");

            Cli other = new Cli(cluster, cluster.nodes().get(1), Map.of("RAY_ADDRESS", cluster.address()));
            ExitResult elsewhere = other.run("dashboard").orFail();
            assertThat(elsewhere.stdout()).isEqualTo(url + "\n");
            assertThat(elsewhere.stderr())
                    .contains("ssh -N -L " + (PORT + 1) + ":127.0.0.1:" + (PORT + 1) + " 10.9.0.1");
        }
        cluster.assertNothingLeft();
    }

    /**
     * An event of a kind is on the page, and was there two seconds after it happened. The worker writes the time into
     * the event when it notices what happened, and all clocks are this machine's.
     */
    private static void seenSoon(Browser browser, String kind) {
        String row = "//ol[@id='events']/li[contains(span[1], '" + kind + "')]";
        Instant[] seen = new Instant[1];
        Awaitility.await(kind + " on the page")
                .atMost(Cli.DEADLINE)
                .pollInterval(Duration.ofMillis(20))
                .ignoreExceptions()
                .until(() -> {
                    seen[0] = Instant.now();
                    return !browser.all(By.xpath(row)).isEmpty();
                });
        String time = browser.all(By.xpath(row + "/time")).get(0).getDomAttribute("datetime");
        assertThat(Duration.between(Instant.parse(time), seen[0]))
                .as(kind + " at " + time)
                .isLessThan(SOON);
    }
}
