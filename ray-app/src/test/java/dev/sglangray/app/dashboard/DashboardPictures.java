/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.dashboard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.monitor.FakeFleet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/**
 * Takes the pictures of docs/images again, of fake fleets. Runs only when asked for by name, see CONTRIBUTING.md; {@code pictures} says
 * where they go.
 */
class DashboardPictures {
    private static final Path FOLDER = Path.of(System.getProperty("pictures", "target/pictures"));
    /** Without a folder for the documentation there are more, to look at. */
    private static final boolean LOOK = System.getProperty("pictures") == null;

    @Test
    void takes() throws IOException {
        Files.createDirectories(FOLDER);
        try (Browser browser = Browser.open()) {
            take(browser, "dashboard-light", PictureFleet.healthy(8, 4), false, 1280, 900);
            take(browser, "dashboard-dark", PictureFleet.faults(), true, 1280, 900);
            take(browser, "dashboard-phone", PictureFleet.faults(), false, 390, 844);
            if (LOOK) {
                take(browser, "dashboard-64", PictureFleet.healthy(64, 8), false, 1280, 900);
            }
            assertThat(browser.problems()).isEmpty();
        }
    }

    private static void take(Browser browser, String name, FakeFleet fleet, boolean dark, int width, int height)
            throws IOException {
        browser.size(width, height, 1);
        browser.dark(dark);
        try (FakePage page = FakePage.live(fleet, "rollout", null)) {
            page.monitor.launched(Optional.empty());
            PictureFleet.reports(page.monitor);
            browser.show(page.page.url());
            browser.await("#word", "e");
            List<Integer> moments = new ArrayList<>();
            Awaitility.await("a curve of tokens per second")
                    .atMost(Browser.DEADLINE)
                    .until(() -> {
                        int moment = moments.size();
                        moments.add(moment);
                        page.change(now -> {
                            now.now = Instant.now();
                            for (int rank : now.ranks()) {
                                PictureFleet.load(now, rank, moment);
                            }
                        });
                        page.monitor.soon();
                        return moment > 60;
                    });
            Files.write(FOLDER.resolve(name + ".png"), browser.screenshot());
            if (LOOK) {
                for (String part : List.of("timeline", "training", "launch", "configuration")) {
                    var unused = browser.script("document.getElementById('" + part + "').scrollIntoView()");
                    Files.write(FOLDER.resolve(name + "-" + part + ".png"), browser.screenshot());
                }
            }
            browser.show("about:blank");
        }
    }
}
