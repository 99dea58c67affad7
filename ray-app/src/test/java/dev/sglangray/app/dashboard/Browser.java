/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.dashboard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.logging.Level;
import org.awaitility.Awaitility;
import org.openqa.selenium.By;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

/** Debian's Chromium without a screen, which shows one page. A test that needs it is skipped where it is not installed. */
public final class Browser implements AutoCloseable {
    /** With any value, a browser that is not installed fails the test instead. */
    private static final String REQUIRED = "SGLANG_RAY_REQUIRE_TOOLS";

    private static final String BINARY = "/usr/bin/chromium";
    private static final String DRIVER = "/usr/bin/chromedriver";
    /** A browser shows a change at once. */
    static final Duration DEADLINE = Duration.ofSeconds(20);

    private final ChromeDriver driver;
    private final Path profile;

    private Browser(ChromeDriver driver, Path profile) {
        this.driver = driver;
        this.profile = profile;
    }

    /** Starts it. */
    public static Browser open() {
        boolean installed = new File(BINARY).canExecute() && new File(DRIVER).canExecute();
        String words = "there is no " + BINARY + " with " + DRIVER
                + "; to run the tests of the page in a browser: apt-get install chromium chromium-driver";
        if (System.getenv(REQUIRED) != null) {
            assertThat(installed).as(words).isTrue();
        }
        assumeTrue(installed, words);
        try {
            Path profile = Files.createTempDirectory("sglang-ray-browser-");
            ChromeOptions options = new ChromeOptions();
            options.setBinary(BINARY);
            options.addArguments(
                    "--headless=new",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--disable-dev-shm-usage",
                    "--disable-quic",
                    "--no-first-run",
                    "--no-proxy-server",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync",
                    "--hide-scrollbars",
                    "--user-data-dir=" + profile);
            LoggingPreferences logs = new LoggingPreferences();
            logs.enable(LogType.BROWSER, Level.ALL);
            options.setCapability(ChromeOptions.LOGGING_PREFS, logs);
            ChromeDriverService service = new ChromeDriverService.Builder()
                    .usingDriverExecutable(new File(DRIVER))
                    .usingAnyFreePort()
                    .withSilent(true)
                    .build();
            return new Browser(new ChromeDriver(service, options), profile);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Goes there. */
    public void show(String url) {
        driver.get(url);
    }

    /** How wide and high the page is, in CSS pixels, at so many device pixels each. */
    public void size(int width, int height, double scale) {
        driver.executeCdpCommand(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", height, "deviceScaleFactor", scale, "mobile", width < 500));
    }

    /** Whether the person prefers a dark page. */
    public void dark(boolean wanted) {
        driver.executeCdpCommand(
                "Emulation.setEmulatedMedia",
                Map.of(
                        "features",
                        List.of(Map.of("name", "prefers-color-scheme", "value", wanted ? "dark" : "light"))));
    }

    /** The text of an element that shows. */
    public String text(String css) {
        return driver.findElement(By.cssSelector(css)).getText();
    }

    /** The elements. */
    public List<WebElement> all(String css) {
        return driver.findElements(By.cssSelector(css));
    }

    /** The elements. */
    public List<WebElement> all(By by) {
        return driver.findElements(by);
    }

    /** The element. */
    public WebElement one(String css) {
        return driver.findElement(By.cssSelector(css));
    }

    /** What a script says. */
    public Object script(String script) {
        return String.valueOf(driver.executeScript(script));
    }

    /** Waits until an element shows a text. */
    public void await(String css, String text) {
        await(css, text, DEADLINE);
    }

    /** As {@link #await(String, String)}, but not as long. */
    public void await(String css, String text, Duration deadline) {
        Awaitility.await(css + " has " + text)
                .atMost(deadline)
                .pollInterval(Duration.ofMillis(20))
                .ignoreExceptions()
                .untilAsserted(() -> assertThat(text(css)).contains(text));
    }

    /** The element that has the keyboard. */
    public WebElement focused() {
        return driver.switchTo().activeElement();
    }

    /** What is on the screen, as PNG. */
    public byte[] screenshot() {
        return driver.getScreenshotAs(OutputType.BYTES);
    }

    /** The errors and warnings of the console since the last call. */
    public List<String> problems() {
        List<String> problems = new ArrayList<>();
        for (LogEntry entry : driver.manage().logs().get(LogType.BROWSER)) {
            if (entry.getLevel().intValue() >= Level.WARNING.intValue()) {
                problems.add(entry.getMessage());
            }
        }
        return problems;
    }

    /** What axe finds wrong, one line for each element. */
    public List<String> accessibilityProblems() {
        try (InputStream axe = Objects.requireNonNull(Browser.class.getResourceAsStream("/axe.min.js"))) {
            driver.executeScript(new String(axe.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Object found = driver.executeAsyncScript("""
                const done = arguments[arguments.length - 1];
                axe.run(document).then(result => done(result.violations.flatMap(violation => violation.nodes.map(
                    node => violation.id + ': ' + node.html + ' ' + node.failureSummary))), failure => done([String(failure)]));
                """);
        List<String> problems = new ArrayList<>();
        ((List<?>) Objects.requireNonNull(found)).forEach(problem -> problems.add(String.valueOf(problem)));
        return problems;
    }

    @Override
    public void close() {
        driver.quit();
        Awaitility.await("the browser's files")
                .atMost(DEADLINE)
                .ignoreExceptions()
                .until(() -> {
                    try (var files = Files.walk(profile)) {
                        files.sorted(java.util.Comparator.reverseOrder())
                                .map(Path::toFile)
                                .forEach(File::delete);
                    }
                    return !Files.exists(profile);
                });
    }
}
