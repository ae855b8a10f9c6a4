"""What is known without looking it up? Relations between entities, best known first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

#: Spellings that count as the same entity.
_ALIASES: dict[str, tuple[str, ...]] = {
    "rupee": ("rupee", "rupees"),
    "krona": ("krona", "kronor"),
    "zloty": ("zloty", "złoty"),
    "yuan": ("yuan", "renminbi"),
    "Leonardo da Vinci": ("Leonardo da Vinci", "Leonardo"),
    "Gunter Grass": ("Gunter Grass", "Guenter Grass"),
    "Wilhelm Rontgen": ("Wilhelm Rontgen", "Roentgen"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """Facts of one shape. questions, statements: templates of subject (and answer).

    cased: upper and lower case matter. people: the answers are names of people.
    """

    name: str
    questions: tuple[str, ...]
    statements: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    difficulty: float
    cased: bool = False
    people: bool = False

    def spellings(self, entity: str) -> tuple[str, ...]:
        """All spellings of an entity of the relation, the usual one first; people also go by their surname."""
        known = _ALIASES.get(entity, (entity,))
        return (*known, entity.rsplit(maxsplit=1)[-1]) if self.people and " " in entity else known

    def confusions(self, answer: str) -> tuple[str, ...]:
        """The other entities that occur as answers of this relation."""
        return _others(self.facts, answer)


@lru_cache(maxsize=2048)
def _others(facts: tuple[tuple[str, str], ...], answer: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(other for _, other in facts if other != answer))


_CAPITALS = (
    ("France", "Paris"), ("Italy", "Rome"), ("Spain", "Madrid"), ("Japan", "Tokyo"), ("Germany", "Berlin"), ("Greece", "Athens"),
    ("Egypt", "Cairo"), ("Russia", "Moscow"), ("China", "Beijing"), ("Austria", "Vienna"), ("Portugal", "Lisbon"),
    ("Ireland", "Dublin"), ("Sweden", "Stockholm"), ("Norway", "Oslo"), ("Poland", "Warsaw"), ("Hungary", "Budapest"),
    ("Canada", "Ottawa"), ("Cuba", "Havana"), ("Denmark", "Copenhagen"), ("Finland", "Helsinki"), ("Australia", "Canberra"),
    ("Argentina", "Buenos Aires"), ("Brazil", "Brasilia"), ("Thailand", "Bangkok"), ("Turkey", "Ankara"), ("Kenya", "Nairobi"),
    ("Peru", "Lima"), ("Chile", "Santiago"), ("Colombia", "Bogota"), ("Iceland", "Reykjavik"), ("Morocco", "Rabat"),
    ("Croatia", "Zagreb"), ("Bulgaria", "Sofia"), ("Romania", "Bucharest"), ("Serbia", "Belgrade"), ("Slovenia", "Ljubljana"),
    ("Latvia", "Riga"), ("Estonia", "Tallinn"), ("Lithuania", "Vilnius"), ("Vietnam", "Hanoi"), ("Nepal", "Kathmandu"),
    ("Uruguay", "Montevideo"), ("Ecuador", "Quito"), ("Ghana", "Accra"), ("Ethiopia", "Addis Ababa"), ("Senegal", "Dakar"),
    ("Mongolia", "Ulaanbaatar"), ("Kazakhstan", "Astana"), ("Azerbaijan", "Baku"), ("Georgia", "Tbilisi"),
    ("Uzbekistan", "Tashkent"), ("Zambia", "Lusaka"), ("Bhutan", "Thimphu"), ("Fiji", "Suva"), ("Malawi", "Lilongwe"),
)  # fmt: skip

RELATIONS: tuple[Relation, ...] = (
    Relation(
        name="capital",
        questions=("What is the capital of {subject}?", "Which city is the capital of {subject}?", "Name {subject}'s capital."),
        statements=("The capital of {subject} is {answer}.", "{answer} is the capital of {subject}."),
        facts=_CAPITALS,
        difficulty=0.1,
    ),
    Relation(
        name="country",
        questions=("Which country has {subject} as its capital?", "{subject} is the capital of which country?"),
        statements=("{subject} is the capital of {answer}.", "The country with the capital {subject} is {answer}."),
        facts=tuple((city, country) for country, city in _CAPITALS),
        difficulty=0.3,
    ),
    Relation(
        name="currency",
        questions=("What is the currency of {subject}?", "With what money does one pay in {subject}?"),
        statements=("The currency of {subject} is the {answer}.", "In {subject} one pays with the {answer}."),
        facts=(
            ("Japan", "yen"), ("India", "rupee"), ("Mexico", "peso"), ("Russia", "ruble"), ("Sweden", "krona"), ("China", "yuan"),
            ("Poland", "zloty"), ("Brazil", "real"), ("South Korea", "won"), ("South Africa", "rand"), ("Thailand", "baht"),
            ("Israel", "shekel"), ("Turkey", "lira"), ("Hungary", "forint"), ("Vietnam", "dong"), ("Ukraine", "hryvnia"),
            ("Nigeria", "naira"), ("Peru", "sol"), ("Georgia", "lari"), ("Bangladesh", "taka"), ("Kazakhstan", "tenge"),
            ("Ghana", "cedi"), ("Ethiopia", "birr"), ("Mongolia", "tugrik"), ("Zambia", "kwacha"), ("Bhutan", "ngultrum"),
        ),
        difficulty=0.5,
    ),
    Relation(
        name="symbol",
        questions=("What is the chemical symbol of {subject}?", "Which symbol does {subject} have in the periodic table?"),
        statements=("The chemical symbol of {subject} is {answer}.", "{answer} is the symbol of {subject}."),
        facts=(
            ("gold", "Au"), ("iron", "Fe"), ("silver", "Ag"), ("sodium", "Na"), ("copper", "Cu"), ("calcium", "Ca"),
            ("chlorine", "Cl"), ("lead", "Pb"), ("zinc", "Zn"), ("magnesium", "Mg"), ("tin", "Sn"), ("mercury", "Hg"),
            ("nickel", "Ni"), ("silicon", "Si"), ("lithium", "Li"), ("neon", "Ne"), ("platinum", "Pt"), ("tungsten", "Wo"),
            ("manganese", "Mn"), ("antimony", "Sb"), ("krypton", "Kr"), ("cobalt", "Co"), ("bromine", "Br"), ("radium", "Ra"),
            ("strontium", "Sr"), ("zirconium", "Zr"), ("gallium", "Ga"), ("germanium", "Ge"), ("rubidium", "Rb"),
            ("palladium", "Pd"), ("cadmium", "Cd"), ("iridium", "Ir"), ("osmium", "Os"), ("hafnium", "Hf"),
        ),
        difficulty=0.45,
        cased=True,
    ),
    Relation(
        name="author",
        questions=("Who wrote \"{subject}\"?", "Who is the author of \"{subject}\"?", "\"{subject}\" is a book by whom?"),
        statements=("\"{subject}\" was written by {answer}.", "{answer} wrote \"{subject}\"."),
        facts=(
            ("Hamlet", "William Shakespeare"), ("Pride and Prejudice", "Jane Austen"), ("1984", "George Orwell"),
            ("War and Peace", "Leo Tolstoy"), ("Don Quixote", "Miguel de Cervantes"), ("Emma", "Jane Austen"),
            ("Crime and Punishment", "Fyodor Dostoevsky"), ("Animal Farm", "George Orwell"), ("Macbeth", "William Shakespeare"),
            ("Moby-Dick", "Herman Melville"), ("Dracula", "Bram Stoker"), ("Frankenstein", "Mary Shelley"),
            ("The Great Gatsby", "F. Scott Fitzgerald"), ("Brave New World", "Aldous Huxley"), ("Ulysses", "James Joyce"),
            ("Anna Karenina", "Leo Tolstoy"), ("Jane Eyre", "Charlotte Bronte"), ("The Trial", "Franz Kafka"),
            ("One Hundred Years of Solitude", "Gabriel Garcia Marquez"), ("The Stranger", "Albert Camus"),
            ("Madame Bovary", "Gustave Flaubert"), ("The Magic Mountain", "Thomas Mann"), ("Middlemarch", "George Eliot"),
            ("Things Fall Apart", "Chinua Achebe"), ("The Tin Drum", "Gunter Grass"), ("The Idiot", "Fyodor Dostoevsky"),
            ("Walden", "Henry David Thoreau"), ("Beloved", "Toni Morrison"), ("Buddenbrooks", "Thomas Mann"),
        ),
        people=True,
        difficulty=0.5,
    ),
    Relation(
        name="painter",
        questions=("Who painted \"{subject}\"?", "Which artist made the painting \"{subject}\"?"),
        statements=("\"{subject}\" was painted by {answer}.", "{answer} painted \"{subject}\"."),
        facts=(
            ("Mona Lisa", "Leonardo da Vinci"), ("The Starry Night", "Vincent van Gogh"), ("Guernica", "Pablo Picasso"),
            ("The Scream", "Edvard Munch"), ("Girl with a Pearl Earring", "Johannes Vermeer"), ("The Night Watch", "Rembrandt"),
            ("The Kiss", "Gustav Klimt"), ("The Birth of Venus", "Sandro Botticelli"), ("Water Lilies", "Claude Monet"),
            ("The Persistence of Memory", "Salvador Dali"), ("Nighthawks", "Edward Hopper"), ("Las Meninas", "Diego Velazquez"),
            ("American Gothic", "Grant Wood"), ("The Garden of Earthly Delights", "Hieronymus Bosch"),
            ("Liberty Leading the People", "Eugene Delacroix"), ("Olympia", "Edouard Manet"),
        ),
        people=True,
        difficulty=0.6,
    ),
    Relation(
        name="discovery",
        questions=("Who is known for {subject}?", "Whose name goes with {subject}?"),
        statements=("{answer} is known for {subject}.", "The name that goes with {subject} is {answer}."),
        facts=(
            ("the theory of relativity", "Albert Einstein"), ("the laws of motion", "Isaac Newton"),
            ("the theory of evolution by natural selection", "Charles Darwin"), ("the telephone", "Alexander Graham Bell"),
            ("the discovery of penicillin", "Alexander Fleming"), ("the printing press", "Johannes Gutenberg"),
            ("the discovery of radium", "Marie Curie"), ("the periodic table", "Dmitri Mendeleev"),
            ("the laws of heredity in peas", "Gregor Mendel"), ("the smallpox vaccine", "Edward Jenner"),
            ("the uncertainty principle", "Werner Heisenberg"), ("the laws of planetary motion", "Johannes Kepler"),
            ("the discovery of X-rays", "Wilhelm Rontgen"), ("the incompleteness theorems", "Kurt Godel"),
            ("the circulation of the blood", "William Harvey"), ("the dynamite patent", "Alfred Nobel"),
        ),
        people=True,
        difficulty=0.7,
    ),
)  # fmt: skip
