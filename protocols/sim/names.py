"""Names, villages and complaints for invented people: many scripts, nobody real."""

from __future__ import annotations

FAMILY = (
    "Abdi", "Adeyemi", "Ahmed", "Alvarez", "Baptiste", "Bekele", "Castañeda", "Çelik", "Danjuma",
    "Diallo", "Dieudonné", "Fofana", "García", "Hassan", "Hussein", "Ibrahim", "Jean-Louis",
    "Kamara", "Karimi", "Koné", "Kovalenko", "Lê", "Mbeki", "Mohammadi", "Moreau", "Mutombo",
    "Ndiaye", "Nguyễn", "Okafor", "Öztürk", "Pérez", "Rahman", "Sesay", "Shrestha", "Tadesse",
    "Touré", "Traoré", "Yılmaz", "Zakaria", "محمود", "الخطيب", "Коваленко", "王", "陈",
)  # fmt: skip
GIVEN = (
    "Aïcha", "Amina", "Ana", "Andriy", "Ayşe", "Bintou", "Carlos", "Chidi", "Élise", "Esther",
    "Fatima", "Fatoumata", "Grace", "Habib", "Halima", "Ibrahim", "Inès", "Ismail", "Jean",
    "José", "Joseph", "Khadija", "Kofi", "Linh", "María", "Marie-Ange", "Mehmet", "Mohamed",
    "Moussa", "Ngozi", "Olena", "Omar", "Oumar", "Rosa", "Samuel", "Sita", "Tesfaye", "Yusuf",
    "Zainab", "فاطمة", "أحمد", "Олена", "伟", "芳",
)  # fmt: skip
VILLAGE = (
    "Bourj", "Dakoro", "El Fasher", "Gorom", "Jacmel", "Kabo", "Kalonge", "Léogâne", "Maban",
    "Mocoa", "Rutshuru", "Sittwe", "Tal Abyad", "Tillabéri", "Ukhiya", "Yida",
)  # fmt: skip
DISTRICT = ("Centre", "East", "Lake", "Nord", "North-East", "Ouest", "Sud", "Upper River")
LANGUAGE = ("ar", "en", "es", "fr", "ha", "ht", "rhg", "so", "sw", "uk")
NATIONALITY = ("BFA", "COD", "HTI", "MMR", "NER", "SDN", "SSD", "SYR", "UKR", "YEM")
OCCUPATION = ("farmer", "fisher", "market trader", "mason", "none", "pupil", "tailor", "teacher")
RELATION = ("mother", "father", "spouse", "sibling", "child", "aunt-uncle", "neighbour")
DISPLACEMENT = ("resident", "displaced", "refugee", "returnee", "migrant", "unknown")
MARK = ("none seen", "scar over the left eyebrow", "burn scar, right arm", "gold tooth", "tattoo")
COMPLAINT = (
    "watery diarrhoea since yesterday", "fever three days", "cough and fast breathing",
    "wound on the left leg", "fall from a roof", "burn of the right hand", "labour pains",
    "abdominal pain", "crush injury of the foot", "headache, stiff neck", "rash and red eyes",
)  # fmt: skip
NOTE = (
    "drinks well, no vomiting", "dressing changed, clean", "second bag of Ringer's lactate started",
    "sleepy but wakes when called", "family informed", "waits for the surgeon",
    "stool less watery", "splint renewed, toes warm", "refused the meal, took ORS",
    "moved near the door for observation",
)  # fmt: skip
