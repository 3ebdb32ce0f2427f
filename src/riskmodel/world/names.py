"""Names for a society that never was: common names by community, rarer ones put together from syllables.

The lists were written for this package; which name goes with which is drawn at random, so no row is about anybody.
The truth: within a community the common names follow a Zipf law (the k-th name is drawn with weight 1/(k+3)), and a
fifth of all family names are composed ones that few share. A naive analyst who trusts equal names finds that
agreement on a frequent name ("Mohammed Khan") says much less than agreement on a rare one, and that communities
whose names concentrate on few family names are falsely linked more often.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from riskmodel import seeds

COMMUNITIES: Final = (
    "british",
    "eastern_european",
    "south_asian_muslim",
    "south_asian_hindu_sikh",
    "west_african",
    "caribbean",
    "somali",
    "east_asian",
    "arab",
)
ETHNICITY_OF: Final = ("white", "white", "asian", "asian", "black", "black", "black", "asian", "other")
"""What a person of each community says of themselves (children of two communities may say "mixed")."""

_GIRLS: Final = (
    "Olivia Emily Sophie Jessica Chloe Amelia Grace Lucy Charlotte Ella Megan Hannah Lauren Rebecca Holly Katie Abigail "
    "Georgia Bethany Amy Molly Leah Paige Jade Ellie Daisy Poppy Freya Ruby Lily Isla Evie Rosie Matilda Florence Alice "
    "Erin Caitlin Niamh Rhiannon Cerys Eilidh Kirsty Morag Siobhan Aoife Sarah Claire Emma Laura Rachel Nicola Karen "
    "Susan Julie Tracey Sharon Jacqueline Deborah Angela Christine Margaret Patricia Linda Barbara Jean Dorothy Joan "
    "Maureen Sheila Brenda Pamela Janet Helen Catherine Elizabeth Victoria Samantha Natalie Kelly Lisa Michelle Joanne "
    "Donna Louise Kerry Stacey Gemma Zoe Natasha Danielle Kayleigh Courtney Demi Shannon Summer Skye Scarlett Maisie",
    "Anna Maria Katarzyna Agnieszka Magdalena Monika Joanna Zuzanna Julia Maja Oliwia Natalia Aleksandra Wiktoria Elena "
    "Ioana Andreea Alexandra Gabriela Daniela Mihaela Kristina Viktorija Ruta Lina Milda Tereza Lucie Petra Jana "
    "Svetlana Irina Olga Ewa Malgorzata Dorota Beata Izabela Emilia Lena Hanna Nikola",
    "Fatima Aisha Zainab Maryam Khadija Amina Sana Hira Iqra Saima Nadia Rukhsana Shazia Farzana Samina Noreen Bushra "
    "Tahira Yasmin Shabana Nasreen Parveen Rubina Sumaira Anam Mahnoor Eshal Hafsa Safa Inaya Alisha Zara Laiba Aliza "
    "Tasnim Nusrat Sultana Farhana Shamima Ruksana",
    "Priya Anjali Kavita Sunita Neha Pooja Meera Anita Sonia Simran Jasleen Harpreet Manpreet Gurpreet Amrit Kiran "
    "Jaspreet Rajinder Navdeep Ravinder Diya Ananya Isha Riya Nisha Hetal Bhavna Hansa Kajal Shreya Asha Usha Rekha "
    "Lakshmi Divya Swati",
    "Blessing Grace Esther Mercy Joy Deborah Ruth Abigail Temitope Folake Ngozi Chioma Adaeze Ifeoma Amara Yetunde "
    "Bukola Funmilayo Abena Akosua Ama Efua Adwoa Afia Comfort Patience Precious Favour Peace Zainab Hauwa Kemi Tolu "
    "Simisola Oluchi Nkechi",
    "Shanice Tanisha Keisha Monique Chantelle Jasmine Simone Tiana Kiara Renee Danielle Shakira Aaliyah Imani Nevaeh "
    "Naomi Rochelle Latoya Yvonne Beverley Marcia Sonia Paulette Sandra Marlene Althea Joy Dionne Nadine Leanne Tamara "
    "Kezia Zaria",
    "Hodan Ayan Fartun Ifrah Sahra Hibo Khadra Ubah Amal Asha Halimo Nasra Sagal Idil Ladan Rahma Sumaya Hamdi Najma "
    "Faduma Deqa Muna Ilhan Filsan Zamzam Habiba",
    "Mei Ling Xiu Yan Hui Jing Fang Li Na Xin Yi Wai Siu Kit Lan Thuy Huong Linh Mai Ngoc Trang Phuong Amy Vivian "
    "Fiona Joyce Rosa Marisol Jocelyn Angelica Maricel",
    "Leila Noor Rania Huda Samira Dalia Layla Mariam Nadia Salma Sara Yasmine Farah Rana Lina Hanan Iman Zeinab Shirin "
    "Parisa Nasrin Maryam Roza Berivan Shilan Hala Reem Dina",
)
_BOYS: Final = (
    "Jack Oliver Thomas James Joshua Harry Daniel William Samuel Joseph Matthew Ryan Luke Benjamin George Callum "
    "Alexander Jake Lewis Liam Connor Adam Nathan Charlie Jordan Bradley Kieran Ethan Jamie Dylan Owen Rhys Kyle Aaron "
    "Harvey Leo Alfie Archie Theo Freddie Oscar Logan Finlay Hamish Angus Callan Declan Sean Ciaran Cameron Robert Mark "
    "David Paul Andrew Stephen Michael Christopher Richard Peter John Anthony Kevin Gary Ian Alan Graham Keith Brian "
    "Kenneth Derek Raymond Roy Ronald Dennis Trevor Nigel Martin Simon Jonathan Darren Lee Craig Scott Dean Wayne Shane "
    "Carl Stuart Neil Philip Gareth Huw Dafydd Evan Toby Reece Tyler Kian Mason Riley Jayden Noah Arthur Edward Henry",
    "Jakub Mateusz Piotr Pawel Tomasz Krzysztof Michal Kacper Szymon Filip Adam Jan Marcin Lukasz Andrei Alexandru "
    "Mihai Ionut Stefan Cristian Marius Vasile Darius Lukas Jonas Mantas Tomas Vytautas Martin Petr Marek Ivan Dmitri "
    "Sergei Andrzej Zbigniew Grzegorz Dawid Oskar Nikodem",
    "Mohammed Muhammad Ali Ahmed Hassan Hussain Omar Bilal Usman Imran Abdul Hamza Ibrahim Yusuf Zain Adnan Asif Tariq "
    "Khalid Shahid Nadeem Waseem Kashif Faisal Rizwan Kamran Zubair Junaid Haris Danyal Rayyan Zakariya Ismail Haroon "
    "Sajid Javed Rashid Mahmood Shafiq Aamir Mizanur Shah Kamal",
    "Raj Amit Sanjay Vijay Anil Sunil Rakesh Deepak Rahul Arjun Rohan Nikhil Harjit Gurdeep Manjit Baljit Jagdeep "
    "Sukhdev Amandeep Paramjit Kuldeep Hardeep Dev Krishan Hitesh Jayesh Bhavesh Mukesh Nilesh Kishan Aarav Vivaan "
    "Aryan Karan Tejas Vikram",
    "Emmanuel Samuel David Daniel Michael Joseph Oluwaseun Babatunde Adebayo Olumide Femi Tunde Kunle Chukwuemeka "
    "Obinna Ikenna Chidi Emeka Kwame Kofi Kwabena Yaw Kojo Kwaku Gideon Isaac Elijah Prince Victor Godwin Ayodele "
    "Segun Tobi Dele Uche",
    "Jerome Tyrone Marcus Leroy Delroy Winston Errol Devon Andre Dwayne Jermaine Malachi Tyrell Kamari Isaiah Jaden "
    "Nathaniel Reuben Omari Kemar Damian Carlton Clive Everton Desmond Neville Trevor Michael Anthony Courtney Rashawn "
    "Zion Josiah",
    "Abdi Mohamed Ahmed Abdullahi Hassan Mahad Liban Yusuf Guled Abdirahman Ibrahim Said Farah Bashir Jama Ismail Omar "
    "Ayanle Zakaria Mustafa Abdikarim Warsame Khalid Hamse Sakariye Idris",
    "Wei Jun Ming Chun Hao Jian Feng Bo Tao Lei Kit Wing Ho Man Kai Minh Tuan Hung Duc Thanh Long Nam Jason Kelvin "
    "Vincent Raymond Jose Mark Jericho Rommel Arnel",
    "Ahmed Mohammed Ali Omar Khaled Youssef Karim Tarek Hussein Mustafa Samir Rami Walid Nabil Ziad Fadi Bashar Hadi "
    "Amir Reza Mehdi Hossein Aram Karwan Rebin Saman Bilal Anas Ayman",
)
_FAMILIES: Final = (
    "Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker White Roberts Green "
    "Hall Wood Jackson Clarke Clark Lewis Harris Thomas Hughes Edwards Turner Hill Moore Cooper Ward Morris King Baker "
    "Harrison Morgan Allen James Scott Phillips Watson Davis Parker Price Bennett Young Griffiths Mitchell Kelly Cook "
    "Carter Richardson Bailey Collins Bell Shaw Murphy Miller Cox Richards Marshall Anderson Simpson Ellis Adams Singleton "
    "Wilkinson Foster Chapman Webb Rogers Gray Hunt Mills Holmes Palmer Barker Powell Knight Lloyd Butler Russell Barnes "
    "Fisher Stevens Jenkins Murray Dixon Harvey Graham Fletcher Pearson Andrews Fraser Campbell Stewart Reid Macdonald "
    "McKenzie Ross Hamilton Gallagher Doherty Kennedy Byrne Walsh Ryan O'Brien O'Neill O'Connor Hayes Rees Pugh Bowen "
    "Armstrong Atkinson Booth Bradshaw Burgess Crossley Dawson Firth Greenwood Hardcastle Haigh Hepworth Ibbotson Jowett "
    "Kershaw Lister Metcalfe Naylor Oldroyd Pickles Ramsden Schofield Sutcliffe Thackray Uttley Varley Wadsworth Yeadon",
    "Kowalski Nowak Wisniewski Wojcik Kaminski Lewandowski Zielinski Szymanski Dabrowski Kozlowski Jankowski Mazur "
    "Krawczyk Popa Popescu Ionescu Radu Dumitru Stan Stoica Rusu Munteanu Kazlauskas Petrauskas Jankauskas Novak "
    "Svoboda Horvath Ivanov Petrov Georgiev Dimitrov Kovac Nemeth Szabo Wrobel Pawlak Sikora Baran",
    "Khan Ahmed Hussain Ali Begum Akhtar Iqbal Malik Mahmood Shah Mirza Butt Chaudhry Raja Qureshi Sheikh Miah Uddin "
    "Rahman Islam Chowdhury Hoque Bibi Kauser Aslam Anwar Rashid Hanif Yousaf Akram Rehman Javed Saleem Nawaz Bashir "
    "Siddiqui Ansari Mughal Awan Dar",
    "Patel Singh Kaur Shah Sharma Gill Sandhu Dhillon Mistry Desai Parmar Chauhan Bains Sidhu Grewal Johal Rai Kumar "
    "Gupta Mehta Joshi Solanki Lad Tailor Virdee Bhogal Sahota Atwal Nair Menon Reddy Iyer Thakur",
    "Adeyemi Okafor Okonkwo Adebayo Ogunleye Balogun Eze Nwosu Obi Mensah Owusu Boateng Asante Osei Appiah Agyeman "
    "Addo Ofori Antwi Danso Bello Musa Afolabi Oladipo Adewale Chukwu Nwachukwu Igwe Sesay Kamara Koroma Bangura "
    "Conteh Turay",
    "Campbell Brown Williams Johnson Clarke Gordon Grant Francis Joseph Charles Baptiste Thompson Reid Morrison "
    "Bailey Lewis Henry Edwards Stewart Powell Blake Samuels Wright Daley Dacosta Mcfarlane Whyte Hinds Bryan Lindo "
    "Gayle Facey Pinnock",
    "Mohamed Ali Ahmed Abdi Hassan Hussein Omar Ibrahim Yusuf Warsame Farah Jama Osman Aden Nur Abdullahi Elmi Duale "
    "Ismail Muse Dirie Haji Samatar Guled Egal Gedi",
    "Chan Wong Li Chen Wang Zhang Lam Cheung Ng Leung Liu Yang Ho Lau Tang Nguyen Tran Pham Le Vu Santos Reyes Cruz "
    "Garcia Mendoza Bautista Lim Tan Yip Kwok",
    "Hassan Ali Ahmed Mohammed Hussein Ibrahim Saleh Mahmoud Khalil Haddad Mansour Nasser Karimi Ahmadi Hosseini "
    "Rezaei Rasool Aziz Hamid Amin Salih Kareem Othman Saeed Yassin Darwish Barzani Sharif",
)
_ONSETS: Final = (
    "Br Cr Dun El Fen Gor Hal Kirk Lang Mar Nor Os Pen Rad Stan Thor Ul Wex Ash Bick",
    "Bal Czar Dab Gor Jar Kos Lub Mal Now Pol Rad Sta Tom Wal Zal",
    "Ab Bak Far Ghul Has Jam Kar Lat Mah Naz Qad Raf Sal Taj Zah",
    "Ban Bhar Chan Dev Gop Har Jas Kal Lal Man Nar Pan Ram Suk Var",
    "Abi Ade Bol Chi Dan Efe Fol Ike Kwa Nna Obi Olu Sen Tem Uzo",
    "Al Bel Car Dal Ed Fer Gar Hen Lam Mor Nel Pal Ros Sal Win",
    "Ab Bar Cal Dah Far Gab Hir Is Jam Kad Maq Rob Sah Tal War",
    "An Bao Cai Dao Feng Guo Hua Jin Kai Lin Min Ou Qing Shu Tian",
    "Al Bar Dar Fah Gha Had Jab Kha Mus Nad Qas Rah Sab Tah Zan",
)
_MIDDLES: Final = ("e i a o en er in am el or", "i a o e u", "a i u ee oo", "a i e o u", "a e o u i", "e i a o", "a i u o", "a i o", "a i e u")
_ENDINGS: Final = (
    "ley ton ford well shaw worth by field ham more stone wick",
    "ski wicz czyk owski escu enko auskas ova",
    "ullah uddin zada ani vi d pur oor",
    "deep jit inder walla kar ani esh wal",
    "ola emi dele nna wale bu sah ku",
    "ton son ville mond man dale worth",
    "ale mo der iye san sow le",
    "ng n i a u",
    "i an awi ani ri di mi",
)
NICKNAMES: Final = {
    "Thomas": "Tom", "James": "Jim", "Joshua": "Josh", "Daniel": "Dan", "William": "Bill", "Samuel": "Sam",
    "Joseph": "Joe", "Matthew": "Matt", "Benjamin": "Ben", "Alexander": "Alex", "Nathan": "Nate", "Robert": "Bob",
    "David": "Dave", "Andrew": "Andy", "Stephen": "Steve", "Michael": "Mick", "Christopher": "Chris", "Richard": "Rick",
    "Anthony": "Tony", "Kenneth": "Ken", "Raymond": "Ray", "Ronald": "Ron", "Jonathan": "Jon", "Philip": "Phil",
    "Edward": "Ted", "Henry": "Harry", "Oliver": "Ollie", "Cameron": "Cam", "Jessica": "Jess", "Rebecca": "Becky",
    "Abigail": "Abi", "Bethany": "Beth", "Katie": "Kate", "Georgia": "George", "Isabella": "Bella", "Susan": "Sue",
    "Deborah": "Debbie", "Margaret": "Maggie", "Patricia": "Pat", "Christine": "Chris", "Catherine": "Cath",
    "Elizabeth": "Liz", "Victoria": "Vicky", "Samantha": "Sam", "Jacqueline": "Jackie", "Natasha": "Tasha",
    "Danielle": "Dani", "Charlotte": "Lottie", "Mohammed": "Mo", "Muhammad": "Mo", "Mohamed": "Mo", "Hassan": "Has",
    "Abdirahman": "Abdi", "Abdullahi": "Abdi", "Zakariya": "Zak", "Zakaria": "Zak", "Emmanuel": "Manny",
    "Oluwaseun": "Seun", "Babatunde": "Tunde", "Chukwuemeka": "Emeka", "Katarzyna": "Kasia", "Agnieszka": "Aga",
    "Magdalena": "Magda", "Malgorzata": "Gosia", "Aleksandra": "Ola", "Krzysztof": "Krzys", "Alexandru": "Alex",
    "Gurpreet": "Guri", "Manpreet": "Mani", "Harpreet": "Harry", "Jagdeep": "Jag", "Nathaniel": "Nate",
}  # fmt: skip
"""Short forms that an agency may have written down instead of the given name."""

_RARE_SHARE = 0.2
_COMPOSED = 300


@dataclass(frozen=True, slots=True)
class Names:
    """The vocabulary of a world: every name once, and for each community which ones are drawn how often.

    Attributes
    ----------
    words : (n_words,) str
    given : per sex (0 female, 1 male) and community: (indices into words, cumulative weights)
    family : per community: (indices into words, cumulative weights)
    """

    words: npt.NDArray[np.object_]
    given: tuple[tuple[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]], ...], ...]
    family: tuple[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]], ...]

    def draw_given(
        self, random: np.random.Generator, sex: npt.NDArray[np.int64], community: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """A given name for each person: (n,) indices into words."""
        drawn, chance = np.zeros(len(sex), np.int64), random.random(len(sex))
        for gender in (0, 1):
            for group, (index, weight) in enumerate(self.given[gender]):
                chosen = (sex == gender) & (community == group)
                drawn[chosen] = index[np.searchsorted(weight, chance[chosen], side="right")]
        return drawn

    def draw_family(
        self, random: np.random.Generator, community: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """A family name for each household: (n,) indices into words."""
        drawn, chance = np.zeros(len(community), np.int64), random.random(len(community))
        for group, (index, weight) in enumerate(self.family):
            chosen = community == group
            drawn[chosen] = index[np.searchsorted(weight, chance[chosen], side="right")]
        return drawn


@lru_cache(maxsize=4)
def names_of(seed: int) -> Names:
    """The vocabulary of the world with that seed: lists as written, plus 300 composed family names a community."""
    words: dict[str, int] = {}

    def index(listed: list[str]) -> npt.NDArray[np.int64]:
        return np.array([words.setdefault(word, len(words)) for word in listed], np.int64)

    given = tuple(
        tuple((index(text.split()), _zipf(len(text.split()), 0)) for text in listed) for listed in (_GIRLS, _BOYS)
    )
    family = []
    for group, text in enumerate(_FAMILIES):
        common = text.split()
        composed = _composed(seed, group, set(common))
        family.append((index(common + composed), _zipf(len(common), len(composed))))
    vocabulary = np.empty(len(words), object)
    vocabulary[:] = list(words)
    return Names(vocabulary, given, tuple(family))


def _composed(seed: int, group: int, taken: set[str]) -> list[str]:
    onsets, middles, endings = _ONSETS[group].split(), _MIDDLES[group].split(), _ENDINGS[group].split()
    every = [a + b + c for a in onsets for b in middles for c in endings if a + b + c not in taken]
    order = seeds.stream(seed, "world", "names", group).permutation(len(every))[:_COMPOSED]
    return [every[place] for place in order]


def _zipf(common: int, rare: int) -> npt.NDArray[np.float64]:
    weight = 1.0 / (np.arange(common) + 3.0)
    weight *= (1.0 - _RARE_SHARE if rare else 1.0) / weight.sum()
    total = np.cumsum(np.concatenate([weight, np.full(rare, _RARE_SHARE / rare) if rare else np.empty(0)]))
    total[-1] = 1.0
    return total
