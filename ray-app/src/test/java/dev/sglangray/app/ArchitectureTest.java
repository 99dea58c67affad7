/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import static com.tngtech.archunit.base.DescribedPredicate.alwaysTrue;
import static com.tngtech.archunit.core.domain.JavaAccess.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.config.thread.Threads;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The arrows of {@code docs/architecture.md}, and the rules that cross modules. */
class ArchitectureTest {
    private static final List<String> MODULES =
            List.of("config", "placement", "python-bridge", "client", "workers", "ray-app");
    /** A package with more is hard to take in. The client's interface has more, for it has a type for each message. */
    private static final long MOST = 28;

    private static JavaClasses classes;

    @BeforeAll
    static void importClasses() {
        classes = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("dev.sglangray");
    }

    @Test
    void everyModuleIsSeen() {
        for (String module : new String[] {"config", "placement", "bridge", "client", "workers", "app"}) {
            assertThat(classes.that(resideInAPackage("dev.sglangray." + module + "..")))
                    .as("classes of %s", module)
                    .isNotEmpty();
        }
    }

    @Test
    void modulesUseOnlyWhatTheDesignAllows() {
        layeredArchitecture()
                .consideringOnlyDependenciesInAnyPackage("dev.sglangray..")
                .layer("config")
                .definedBy("dev.sglangray.config..")
                .layer("placement")
                .definedBy("dev.sglangray.placement..")
                .layer("bridge")
                .definedBy("dev.sglangray.bridge..")
                .layer("client")
                .definedBy("dev.sglangray.client..")
                .layer("workers")
                .definedBy("dev.sglangray.workers..")
                .layer("app")
                .definedBy("dev.sglangray.app..")
                .whereLayer("app")
                .mayNotBeAccessedByAnyLayer()
                .whereLayer("workers")
                .mayOnlyBeAccessedByLayers("app")
                .whereLayer("client")
                .mayOnlyBeAccessedByLayers("app")
                .whereLayer("bridge")
                .mayOnlyBeAccessedByLayers("workers", "app")
                .whereLayer("placement")
                .mayOnlyBeAccessedByLayers("workers", "app")
                .whereLayer("config")
                .mayOnlyBeAccessedByLayers("placement", "bridge", "workers", "app")
                .check(classes);
    }

    @Test
    void packagesHaveNoCycles() {
        slices().matching("dev.sglangray.(**)")
                .should()
                .beFreeOfCycles()
                // The top of the client is its interface, whose types its internals use.
                .ignoreDependency(
                        resideInAPackage("dev.sglangray.client.internal.."), resideInAPackage("dev.sglangray.client"))
                .check(classes);
    }

    @Test
    void everyPackageSaysWhatLivesThere() throws IOException {
        Map<String, Long> sizes = classes.stream()
                .filter(type -> type.isTopLevelClass() && !type.getSimpleName().equals("package-info"))
                .collect(Collectors.groupingBy(JavaClass::getPackageName, Collectors.counting()));
        assertThat(sizes).hasSizeGreaterThan(MODULES.size());
        for (String name : sizes.keySet()) {
            String file = "src/main/java/" + name.replace('.', '/') + "/package-info.java";
            List<Path> found = MODULES.stream()
                    .map(module ->
                            PythonEnvironment.repository().resolve(module).resolve(file))
                    .filter(Files::exists)
                    .toList();
            assertThat(found).as(name).hasSize(1);
            assertThat(Files.readString(found.get(0))).as(name).contains("/**");
        }
        sizes.remove("dev.sglangray.client");
        assertThat(sizes.values()).as(sizes.toString()).allMatch(size -> size <= MOST);
    }

    /** It is as large as what the client offers, and no larger. */
    @Test
    void theClientsTopPackageIsItsInterface() {
        classes()
                .that()
                .resideInAPackage("dev.sglangray.client")
                .and()
                .areTopLevelClasses()
                .and()
                .doNotHaveSimpleName("package-info")
                .should()
                .bePublic()
                .check(classes);
    }

    @Test
    void whatDecidesKnowsNothingOfRay() {
        noClasses()
                .that()
                .resideInAnyPackage(
                        "dev.sglangray.config..",
                        "dev.sglangray.bridge..",
                        "dev.sglangray.client..",
                        "dev.sglangray.placement",
                        "dev.sglangray.placement.rank",
                        "dev.sglangray.placement.cluster",
                        "dev.sglangray.placement.strategy",
                        "dev.sglangray.placement.plan",
                        "dev.sglangray.placement.show",
                        "dev.sglangray.workers.engine",
                        "dev.sglangray.workers.gang",
                        "dev.sglangray.workers.loop",
                        "dev.sglangray.workers.process",
                        "dev.sglangray.workers.protocol",
                        "dev.sglangray.workers.registry",
                        "dev.sglangray.workers.router",
                        "dev.sglangray.workers.supervision",
                        "dev.sglangray.workers.update")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.ray..")
                .check(classes);
    }

    @Test
    void whatRunsInsideActorsDoesNotKnowTheDriversSide() {
        noClasses()
                .that()
                .resideInAPackage("dev.sglangray.workers.*")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("dev.sglangray.workers")
                .check(classes);
    }

    @Test
    void onlyTheCommandLineKnowsItsLibrary() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.sglangray.app.cli..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("picocli..", "dev.sglangray.app.cli..")
                .check(classes);
    }

    @Test
    void onlyTheSessionKnowsTheRayRuntime() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.sglangray.app..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.ray.runtime..")
                .check(classes);
    }

    @Test
    void noThreadWaitsOnAMonitor() {
        noClasses()
                .should()
                .callMethod(Object.class, "wait")
                .orShould()
                .callMethod(Object.class, "wait", long.class)
                .orShould()
                .callMethod(Object.class, "wait", long.class, int.class)
                .because("a literal port of the original's .wait() compiles and hangs: use WorkerGroupFuture.await()")
                .check(classes);
    }

    /** The client is used without the rest, and has its own. */
    @Test
    void onlyOneClassMakesThreads() {
        noClasses()
                .that()
                .areNotAssignableTo(Threads.class)
                .and()
                .resideOutsideOfPackage("dev.sglangray.client.internal.transport")
                .should()
                .callConstructorWhere(target(owner(assignableTo(Thread.class))))
                .orShould()
                .callConstructorWhere(target(owner(assignableTo(Executor.class))))
                .orShould()
                .callMethodWhere(target(owner(assignableTo(Executors.class))))
                .orShould()
                .callMethod(CompletableFuture.class, "supplyAsync", Supplier.class)
                .orShould()
                .callMethod(CompletableFuture.class, "runAsync", Runnable.class)
                .orShould()
                .callMethod(CompletableFuture.class, "delayedExecutor", long.class, TimeUnit.class)
                .because("docs/concurrency.md says of each thread what owns it and when it ends: use Threads")
                .check(classes);
    }

    @Test
    void onlyTheConsolePrints() {
        noClasses()
                .that()
                .doNotHaveSimpleName("Console")
                .should()
                .accessField(System.class, "out")
                .orShould()
                .accessField(System.class, "err")
                .check(classes);
    }

    @Test
    void stateIsNotStaticAndMutable() {
        fields().that().areStatic().should().beFinal().allowEmptyShould(false).check(classes.that(alwaysTrue()));
    }
}
