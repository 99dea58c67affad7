/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.dashboard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.monitor.FakeFleet;
import dev.sglangray.app.monitor.TrainerStep;
import dev.sglangray.workers.protocol.EngineLoad;
import dev.sglangray.workers.supervision.EventKind;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;

/** What a real browser shows of a fake fleet. */
class DashboardPageTest {
    /** What the page promises: from the moment that the owner could know it. */
    private static final Duration SOON = Duration.ofSeconds(2);

    private static final String MARKUP = "<img src=x onerror=alert(1)>";

    private static @Nullable Browser opened;
    private @Nullable FakePage shown;

    @BeforeAll
    static void openBrowser() {
        opened = Browser.open();
    }

    @AfterAll
    static void closeBrowser() {
        if (opened != null) {
            opened.close();
        }
    }

    private final Browser browser = Objects.requireNonNull(opened);

    private FakePage page() {
        return Objects.requireNonNull(shown);
    }

    @BeforeEach
    void usual() {
        browser.size(1280, 900, 1);
        browser.dark(false);
        var unused = browser.problems();
    }

    @AfterEach
    void closePage() {
        assertThat(browser.problems()).isEmpty();
        browser.show("about:blank");
        if (shown != null) {
            shown.close();
        }
    }

    private void show(FakePage page) {
        shown = page;
        browser.show(page.page.url());
    }

    private void launched(FakeFleet fleet) {
        show(FakePage.live(fleet, "E", null));
        page().monitor.launched(Optional.empty());
        browser.await("#word", "Healthy");
    }

    private void happens(Consumer<FakeFleet> change) {
        page().change(change);
    }

    @Test
    void aLaunchIsSeenWhileItRuns() {
        FakeFleet fleet = new FakeFleet(2);
        fleet.engine(0).answers = false;
        fleet.engine(1).state = "STARTING";
        fleet.listed.clear();
        show(FakePage.live(fleet, "E", null));
        page().monitor.phaseBegan("start", "starting 2 engine(s) and the router");
        browser.await("#word", "Launching");
        browser.await("#serving", "0 of 2");
        browser.await("#phase-rows", "under way", SOON);
        browser.await("#nodes", "starting");

        page().monitor.phase("start", Duration.ofMillis(12340));
        browser.await("#phase-rows", "12.3 s", SOON);
        happens(now -> {
            now.engine(0).answers = true;
            now.engine(1).state = "READY";
            now.listed.add(0);
            now.listed.add(1);
        });
        page().monitor.launched(Optional.empty());
        browser.await("#word", "Healthy", SOON);
        browser.await("#serving", "2 of 2");
    }

    @Test
    void aKilledEngineAndItsReturnAreSeen() {
        launched(new FakeFleet(2));
        happens(fleet -> {
            fleet.engine(1).state = "RESTARTING";
            fleet.listed.remove(1);
            fleet.happens(fleet.engine(1), EventKind.EXITED, "it ended by signal 9");
        });
        browser.await("#word", "Healing", SOON);
        browser.await("#serving", "1 of 2");
        browser.await("#events", "it ended by signal 9");
        browser.await("#nodes", "restarting");

        happens(fleet -> {
            fleet.engine(1).state = "READY";
            fleet.engine(1).restarts = 1;
            fleet.listed.add(1);
            fleet.happens(fleet.engine(1), EventKind.RECOVERED, "it serves again after 3 s");
        });
        browser.await("#word", "Healthy", SOON);
        browser.await("#events", "it serves again");
    }

    @Test
    void aChangeOfSizeIsSeen() {
        FakeFleet fleet = new FakeFleet(3);
        fleet.remove(2);
        fleet.wanted = 2;
        launched(fleet);
        assertThat(browser.all(".tile")).hasSize(2);
        happens(now -> {
            now.wanted = 3;
            now.add(2);
        });
        browser.await("#serving", "3 of 3", SOON);
        assertThat(browser.all(".tile")).hasSize(3);
        happens(now -> {
            now.wanted = 1;
            now.remove(1);
            now.remove(2);
        });
        browser.await("#serving", "1 of 1", SOON);
        assertThat(browser.all(".tile")).hasSize(1);
    }

    @Test
    void loadIsSeenAndSummed() {
        launched(new FakeFleet(2));
        assertThat(browser.text("#running")).isEqualTo("–");
        happens(fleet -> {
            fleet.load(0, new EngineLoad(7, 1, 1500.4, 0.25));
            fleet.load(1, new EngineLoad(5, null, 500.0, 0.5));
        });
        browser.await("#running", "12", SOON);
        browser.await("#queued", "1");
        browser.await("#tokens", "2,000");
        browser.await(".tile", "7 running, 1 queued");
        browser.await(".tile", "KV 25 %");
    }

    @Test
    void anUpdateAndWhatATrainerReportsAreSeen() {
        launched(new FakeFleet(2));
        happens(fleet -> {
            fleet.happens(fleet.engine(0), EventKind.HELD, "weights are replaced by version step-7");
            fleet.passes(1);
            fleet.happens(fleet.engine(0), EventKind.WITHDRAWN, "no requests are sent to it");
            fleet.passes(2);
            fleet.happens(
                    fleet.engine(0),
                    EventKind.WEIGHTS,
                    "the engine has weights of version step-7 from /checkpoints/step-7");
            fleet.passes(3);
            fleet.happens(fleet.engine(0), EventKind.PUBLISHED, "requests are sent to it");
            fleet.engine(0).version = "step-7";
            fleet.engine(1).version = "step-7";
        });
        browser.await("#update-rows", "step-7", SOON);
        assertThat(browser.text("#update-rows")).contains("1.00 s", "2.00 s", "3.00 s");
        browser.await("#training-note", "step-7 (2)");
        browser.await(".tile", "step-7");

        page().monitor.reported(new TrainerStep(1, Map.of("reward", 0.25)));
        page().monitor.reported(new TrainerStep(2, Map.of("reward", 0.5, "loss", 1.5)));
        browser.await("#charts", "reward", SOON);
        assertThat(browser.all("#charts svg"))
                .hasSize(2)
                .allSatisfy(
                        chart -> assertThat(chart.getAttribute("aria-label")).contains("at step 2"));
        browser.one("#steps-more summary").click();
        browser.await("#step-rows", "0.25");
    }

    @Test
    void whatARouterDoesNotListIsAFault() {
        launched(new FakeFleet(2));
        happens(fleet -> fleet.listed.remove(1));
        browser.await("#word", "Degraded", SOON);
        browser.await("#faults", "engine 1 is ready, but the router does not list it");
        browser.await("#nodes", "ready, unused");
    }

    @Test
    void markupInANameStaysText() {
        FakeFleet fleet = new FakeFleet(1);
        fleet.engine(0).version = MARKUP;
        fleet.engine(0).pool = MARKUP;
        fleet.engine(0).conditions = List.of(MARKUP);
        fleet.happens(fleet.engine(0), EventKind.EXITED, MARKUP);
        show(FakePage.live(fleet, MARKUP, null));
        page().monitor.launched(Optional.empty());
        page().monitor.phaseBegan(MARKUP, MARKUP);
        page().monitor.reported(new TrainerStep(1, Map.of(MARKUP, 1.0)));
        browser.await("#name", MARKUP);
        browser.await("#events", MARKUP);
        browser.await(".tile", MARKUP);
        browser.await("#charts", MARKUP);
        browser.await("#phase-rows", MARKUP);
        browser.one(".tile").click();
        browser.await("#engine-facts", MARKUP);
        assertThat(browser.all("img")).isEmpty();
    }

    @Test
    void asksForTheKeyAndKeepsItInTheTab() {
        show(FakePage.live(new FakeFleet(1), "E", "right"));
        page().monitor.launched(Optional.empty());
        browser.await("#key", "This fleet has a key");
        assertThat(browser.one("#fleet").isDisplayed()).isFalse();
        assertThat(browser.focused().getAttribute("id")).isEqualTo("key-input");
        assertThat(browser.accessibilityProblems()).isEmpty();
        browser.focused().sendKeys("wrong", Keys.ENTER);
        browser.await("#key-wrong", "The fleet has another key");
        browser.focused().sendKeys("right", Keys.ENTER);
        browser.await("#word", "Healthy");
        browser.show(page().page.url());
        browser.await("#word", "Healthy");
        assertThat(browser.script("return location.href + document.cookie + localStorage.length"))
                .isEqualTo(page().page.url() + "/0");
        // The browser itself notes the answers 401.
        assertThat(browser.problems())
                .hasSize(2)
                .allSatisfy(problem -> assertThat(problem).contains("401"));
        var unused = browser.script("sessionStorage.clear()");
    }

    @Test
    void oldDataIsShownAsOldAndTheConfigurationWithoutSecrets() {
        launched(new FakeFleet(1));
        assertThat(browser.text("#pulse")).isEqualTo("live");
        happens(fleet -> fleet.failure = new IllegalStateException("Ray does not answer"));
        browser.await("#stale", "ago: Ray does not answer");
        browser.await("#pulse", "old");
        happens(fleet -> fleet.failure = null);
        browser.await("#pulse", "live", SOON);

        browser.one("#configuration-more summary").click();
        browser.await("#configuration-rows", "cache_aware");
        assertThat(browser.text("#configuration-rows"))
                .contains("router_server_args.server.api_key", "<hidden>", "<text>:3:")
                .doesNotContain("very-secret");
        browser.one("#filter").sendKeys("policy");
        browser.await("#configuration-rows", "policy");
        assertThat(browser.all("#configuration-rows tr")).hasSize(1);
    }

    @Test
    void saysWhenTheOwnerIsGone() {
        launched(new FakeFleet(1));
        page().close();
        browser.await("#pulse", "not live", SOON);
        browser.await("#stale", "ago");
        assertThat(browser.problems()).allSatisfy(problem -> assertThat(problem).contains("/stream"));
    }

    @Test
    void isUsedWithTheKeyboardAndKeepsTheFocusWhenDataChanges() {
        launched(new FakeFleet(2));
        browser.one("body").sendKeys(Keys.TAB);
        assertThat(browser.focused().getText()).isEqualTo("Skip to the fleet");
        browser.focused().sendKeys(Keys.ENTER);
        WebElement at = browser.focused();
        for (int i = 0; i < 20 && !String.valueOf(at.getAttribute("class")).startsWith("tile "); i++) {
            at.sendKeys(Keys.TAB);
            at = browser.focused();
        }
        assertThat(at.getText()).contains("Engine 0");
        happens(fleet -> fleet.load(0, new EngineLoad(3, 0, 10.0, 0.1)));
        browser.await(".tile", "3 running");
        assertThat(browser.focused()).isEqualTo(at);
        at.sendKeys(Keys.ENTER);
        browser.await("#engine-title", "Engine 0");
        assertThat(browser.text("#engine-facts")).contains("http://10.0.0.1:30000", "3 running, 0 queued");
        browser.focused().sendKeys(Keys.ESCAPE);
        assertThat(browser.one("#engine").isDisplayed()).isFalse();
        assertThat(browser.focused()).isEqualTo(at);
    }

    @Test
    void anAccessibilityCheckPassesInLightAndDarkAndOnAPhone() {
        FakeFleet fleet = PictureFleet.faults();
        show(FakePage.live(fleet, "rollout", null));
        page().monitor.launched(Optional.empty());
        PictureFleet.reports(page().monitor);
        browser.await("#faults", "does not list it");
        browser.await("#charts", "reward");
        for (WebElement more : browser.all("details summary")) {
            more.click();
        }
        for (int width : new int[] {1280, 360}) {
            for (boolean dark : new boolean[] {false, true}) {
                browser.size(width, 800, 1);
                browser.dark(dark);
                assertThat(browser.accessibilityProblems())
                        .as(width + (dark ? " dark" : " light"))
                        .isEmpty();
                assertThat(browser.script("return document.documentElement.scrollWidth"))
                        .as("no sideways scrolling")
                        .isEqualTo(String.valueOf(width));
            }
        }
        browser.one(".tile").findElement(By.cssSelector(".rank")).click();
        browser.await("#engine-title", "Engine 0");
        assertThat(browser.accessibilityProblems()).isEmpty();
    }
}
